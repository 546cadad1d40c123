# Prints each event of KeyEvt once, although RabbitMQ may deliver it more than once.
#   pip install pika; python3 consumer.py [amqp-url] [queue] [how many ids to remember]
import sys
from collections import OrderedDict

import pika

given = dict(enumerate(sys.argv))
url = given.get(1, "amqp://guest:guest@127.0.0.1:5672/")
queue = given.get(2, "events")
remembered = int(given.get(3, 100_000))
handled = OrderedDict()  # ids, the oldest first


def handle(body):
    # The body is database, event and key, one a line; the key is all the rest.
    db, event, key = body.decode(errors="replace").split("\n", 2)
    print(db, event, key, flush=True)


def on_message(channel, method, properties, body):
    if properties.message_id not in handled:
        handle(body)
        handled[properties.message_id] = True
        if len(handled) > remembered:
            handled.popitem(last=False)
    channel.basic_ack(method.delivery_tag)  # last: until here RabbitMQ keeps the message for us


# A fault ends the program. RabbitMQ then delivers again what is not acknowledged.
channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
channel.basic_qos(prefetch_count=100)
channel.basic_consume(queue, on_message)
channel.start_consuming()
