// The least that a proxy over epoll can do: copies bytes between each client and a connection of its own to the upstream, looks at none of them, and makes
// the same system calls as keyevt in the same order (edge triggered, at most 64 events a turn, replies sent before requests at its end). What this costs is the
// kernel's; what keyevt costs more is its own.
//   floor LISTEN-PORT UPSTREAM-PORT        both on 127.0.0.1; no half-closing: an end ends both sides
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, EVENTS = 64, RECEIVES = 16, CLIENTS = 10000 };

// One side of a session. What it is to send lies in its block, which it has only while something does.
struct side {
    struct side *peer;
    char *block;
    int fd, start, end;
    int to_client, due, blocked, readable, closed;
};

static struct side *due[2][2 * CLIENTS], *closing[2 * CLIENTS];
static char *pool[2 * CLIENTS];
static int dues[2], closings, pooled, loop;

static char *rent(void)
{
    return pooled > 0 ? pool[--pooled] : malloc(BLOCK);
}

static void give_back(struct side *side)
{
    pool[pooled++] = side->block;
    side->block = NULL;
    side->start = side->end = 0;
}

static void end(struct side *side)
{
    if (side->closed) return;
    side->closed = side->peer->closed = 1;
    closing[closings++] = side;
}

static void send_due(struct side *side)
{
    while (!side->closed && side->end > side->start) {
        ssize_t sent = send(side->fd, side->block + side->start, side->end - side->start, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) {
                side->blocked = 1;
                return;
            }
            end(side);
            return;
        }
        side->start += sent;
    }
    if (side->block) give_back(side);
}

static void receive(struct side *side)
{
    struct side *to = side->peer;
    for (int i = 0; i < RECEIVES && side->readable && !side->closed && !to->blocked; i++) {
        if (!to->block) to->block = rent();
        ssize_t room = BLOCK - to->end, count = recv(side->fd, to->block + to->end, room, 0);
        if (count <= 0) {
            side->readable = 0;
            if (to->end == to->start) give_back(to);
            if (count == 0 || errno != EAGAIN) end(side);
            return;
        }
        to->end += count;
        side->readable = count == room;
        if (to->end == BLOCK) {
            send_due(to);
        } else if (!to->due) {
            to->due = 1;
            due[to->to_client][dues[to->to_client]++] = to;
        }
    }
}

static struct side *watch(int fd, int to_client)
{
    struct side *side = calloc(1, sizeof *side);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    side->fd = fd;
    side->to_client = to_client;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = side};
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    return side;
}

static void accept_one(int listener, const struct sockaddr_in *upstream)
{
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (client < 0) return;
    int other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(other, (const void *)upstream, sizeof *upstream) < 0 && errno != EINPROGRESS) perror("connect");
    struct side *a = watch(client, 1), *b = watch(other, 0);
    a->peer = b;
    b->peer = a;
}

static void tell(struct side *side, unsigned events)
{
    if (side->closed) return;
    if ((events & EPOLLOUT) && side->blocked) {
        side->blocked = 0;
        send_due(side);
        receive(side->peer);
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        side->readable = 1;
        receive(side);
    }
}

static void finish_turn(void)
{
    for (int to_client = 1; to_client >= 0; to_client--) {
        for (int i = 0; i < dues[to_client]; i++) {
            due[to_client][i]->due = 0;
            send_due(due[to_client][i]);
        }
        dues[to_client] = 0;
    }
    while (closings > 0) {
        struct side *side = closing[--closings], *peer = side->peer;
        close(side->fd);
        close(peer->fd);
        if (side->block) give_back(side);
        if (peer->block) give_back(peer);
        free(side);
        free(peer);
    }
}

int main(int count, char **arguments)
{
    if (count != 3) return fprintf(stderr, "usage: floor LISTEN-PORT UPSTREAM-PORT\n"), 2;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in upstream = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&here, sizeof here) < 0 || listen(listener, 511) < 0) return perror("listen"), 1;
    loop = epoll_create1(0);
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.ptr = NULL}};
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &events[0]);
    for (;;) {
        int happened = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < happened; i++) {
            if (events[i].data.ptr) tell(events[i].data.ptr, events[i].events);
            else accept_one(listener, &upstream);
        }
        finish_turn();
    }
}
