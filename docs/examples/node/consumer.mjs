// Prints each event of KeyEvt once, although RabbitMQ may deliver it more than once.
//   npm install amqplib; node consumer.mjs [amqp-url] [queue] [how many ids to remember]
import amqp from 'amqplib';

const [url = 'amqp://guest:guest@127.0.0.1:5672/', queue = 'events', remembered = 100_000] = process.argv.slice(2);
const handled = new Set(); // a Set keeps the order in which ids were added: the oldest is the first

// The body is database, event and key, one a line; the key is all the rest.
function handle(body) {
  const [db, event, ...key] = body.toString('utf8').split('\n');
  console.log(`${db} ${event} ${key.join('\n')}`);
}

const connection = await amqp.connect(url);
connection.on('close', () => process.exit(1));
const channel = await connection.createChannel();
await channel.prefetch(100);

// A fault ends the program. RabbitMQ then delivers again what is not acknowledged.
await channel.consume(queue, message => {
  const id = message.properties.messageId;
  if (!handled.has(id)) {
    handle(message.content);
    handled.add(id);
    if (handled.size > Number(remembered)) handled.delete(handled.values().next().value);
  }
  channel.ack(message); // last: until here RabbitMQ keeps the message for us
});
