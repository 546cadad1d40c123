"""What does redis-py see? Usage: redis_py.py PORT. Prints what it gets; the same on every Redis."""
import sys
import threading

import redis

port = int(sys.argv[1])


def opened(**options):
    return redis.Redis(host="127.0.0.1", port=port, socket_timeout=10, **options)


def say(what, value):
    print(what, repr(value))


client = opened()
client.flushall()
say("ping", client.ping())
say("set", client.set("k", b"v\0\r\n" * 20000))
say("length", len(client.get("k")))
with client.pipeline(transaction=False) as pipe:
    for i in range(5000):
        pipe.incr("n").get("k%d" % (i % 3))
    answers = pipe.execute()
say("pipeline", (len(answers), answers[-2:]))
with client.pipeline() as pipe:
    say("multi", pipe.set("t", 1).incr("t").get("t").execute())
with client.pipeline() as pipe:
    pipe.watch("t")
    opened().set("t", "changed by another")
    pipe.multi()
    pipe.get("t")
    try:
        pipe.execute()
    except redis.WatchError as error:
        say("watched", str(error))
with client.pipeline() as pipe:
    try:
        pipe.set("t", 1).execute_command("NOSUCH").execute()
    except redis.ResponseError as error:
        say("aborted", str(error))

subscription = client.pubsub()
subscription.subscribe("news")
subscription.psubscribe("w*")
say("subscribed", [subscription.get_message(timeout=5) for _ in range(2)])
for i in range(200):
    client.publish("news" if i % 2 else "weather", i)
say("messages", [subscription.get_message(timeout=5)["data"] for _ in range(200)])
subscription.close()

popped = []
waiting = threading.Thread(target=lambda: popped.append(opened().blpop("queue", 5)))
waiting.start()
client.rpush("queue", "work")
waiting.join()
say("blocking", popped)
say("timeout", client.brpop("queue", 0.05))
script = client.register_script("return {redis.call('get', KEYS[1]), ARGV[1] * 2}")
say("script", script(keys=["n"], args=[21]))
try:
    client.eval("return redis.error_reply('MY own')", 0)
except redis.ResponseError as error:
    say("script error", str(error))
say("scan", sorted(client.scan_iter(count=2)))
say("info", client.info("server")["redis_version"])

victim = opened(single_connection_client=True)
before = victim.client_id()
say("killed", client.client_kill_filter(_id=before))
try:
    say("after the kill", victim.ping())
except redis.ConnectionError as error:
    say("after the kill", "connection error")
say("reconnected", (victim.ping(), victim.client_id() != before))
with opened().monitor() as monitor:
    client.echo("seen")
    say("monitor", next(line["command"] for line in monitor.listen() if "seen" in line["command"]))
say("quit", client.execute_command("QUIT"))
