/* What does hiredis see? Usage: hiredis PORT. Prints what it gets; the same on every Redis. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const redisReply *reply)
{
    if (!reply) { printf("(none)"); return; }
    switch (reply->type) {
    case REDIS_REPLY_INTEGER: printf(":%lld", reply->integer); break;
    case REDIS_REPLY_NIL: printf("(nil)"); break;
    case REDIS_REPLY_ARRAY:
        printf("[");
        for (size_t i = 0; i < reply->elements; i++) { if (i) printf(" "); show(reply->element[i]); }
        printf("]");
        break;
    default: printf("%s%.60s(%zu)", reply->type == REDIS_REPLY_ERROR ? "-" : "", reply->str, (size_t)reply->len);
    }
}

static void say(const char *what, redisReply *reply)
{
    printf("%s ", what);
    show(reply);
    printf("\n");
    if (reply) freeReplyObject(reply);
}

static redisReply *next(redisContext *c)
{
    void *reply = NULL;
    return redisGetReply(c, &reply) == REDIS_OK ? reply : NULL;
}

static redisContext *open_on(int port)
{
    struct timeval limit = {10, 0};
    redisContext *c = redisConnectWithTimeout("127.0.0.1", port, limit);
    if (!c || c->err) { printf("cannot connect: %s\n", c ? c->errstr : "no memory"); exit(1); }
    redisSetTimeout(c, limit);
    return c;
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 6379;
    redisContext *c = open_on(port), *other = open_on(port);
    char *big = malloc(70001);
    memset(big, 'b', 70000);
    big[70000] = 0;

    say("flush", redisCommand(c, "FLUSHALL"));
    say("set", redisCommand(c, "SET big %s", big));
    say("get", redisCommand(c, "GET big"));
    say("binary", redisCommand(c, "SET %b %b", "k\0\r\n", (size_t)4, "v\0\r\n", (size_t)4));

    for (int i = 0; i < 20000; i++) redisAppendCommand(c, "INCRBY n %d", i);
    long long last = 0;
    for (int i = 0; i < 20000; i++) { redisReply *r = next(c); last = r ? r->integer : -1; if (r) freeReplyObject(r); }
    printf("pipeline %lld\n", last);

    const char *transaction[] = {"MULTI", "SET t 1", "INCR t", "NOSUCH", "EXEC", "MULTI", "GET t", "EXEC", "WATCH t", "MULTI", "DISCARD"};
    for (size_t i = 0; i < sizeof transaction / sizeof *transaction; i++) say(transaction[i], redisCommand(c, transaction[i]));

    say("subscribe", redisCommand(other, "SUBSCRIBE news"));
    for (int i = 0; i < 100; i++) say("publish", redisCommand(c, "PUBLISH news item-%d", i));
    for (int i = 0; i < 100; i++) say("message", next(other));
    say("unsubscribe", redisCommand(other, "UNSUBSCRIBE"));

    redisAppendCommand(other, "BLPOP queue 5");
    int done = 0;
    while (!done) redisBufferWrite(other, &done);
    say("push", redisCommand(c, "RPUSH queue work"));
    say("popped", next(other));
    say("timeout", redisCommand(other, "BLPOP queue 0.05"));
    say("script", redisCommand(c, "EVAL %s 1 n 21", "return {redis.call('get',KEYS[1]),ARGV[1]*2,{false,'x'}}"));
    say("error", redisCommand(c, "EVAL %s 0", "return redis.error_reply('MY own')"));

    redisReply *id = redisCommand(other, "CLIENT ID");
    say("kill", redisCommand(c, "CLIENT KILL ID %lld", id->integer));
    freeReplyObject(id);
    say("after the kill", redisCommand(other, "PING"));
    printf("reconnect %d\n", redisReconnect(other));
    say("again", redisCommand(other, "PING"));
    say("quit", redisCommand(c, "QUIT"));
    redisFree(c);
    redisFree(other);
    free(big);
    return 0;
}
