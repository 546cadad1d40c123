using System.Text;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>A broker that does what a test says: when it takes, confirms, refuses, returns, blocks or dies.</summary>
internal sealed class FakeBroker : IBrokerConnector
{
    public bool IsReachable { get; set; } = true;

    /// <summary>What an attempt to connect, or a publish, fails with instead of what brokers do.</summary>
    public Exception? Bug { get; set; }

    public string Reason { get; set; } = "the fake broker is not there";

    /// <summary>Attempts to connect do not end by themselves.</summary>
    public bool IsSilent { get; set; }

    public LinkFailureKind FailWith { get; set; } = LinkFailureKind.Socket;

    public FakeLink? Current { get; private set; }

    public int Attempts { get; private set; }

    /// <summary>Every message a queue holds, in the order of arrival.</summary>
    public List<(string Id, string Body, string RoutingKey)> Queue { get; } = [];

    /// <summary>Of every message that was published, whatever became of it.</summary>
    public List<string> Fields { get; } = [];

    /// <summary>As <see cref="Fields"/>.</summary>
    public List<EventClass> Classes { get; } = [];

    public Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, ILinkEvents events, CancellationToken deadline)
    {
        Attempts++;
        if (Bug is not null) return Task.FromException<IBrokerLink>(Bug);

        if (IsSilent) return new TaskCompletionSource<IBrokerLink>().Task;
        if (!IsReachable) return Task.FromException<IBrokerLink>(new LinkException(FailWith, Reason));

        Current = new FakeLink(this, connectionNumber, events);
        return Task.FromResult<IBrokerLink>(Current);
    }

    internal sealed class FakeLink(FakeBroker broker, int connectionNumber, ILinkEvents events) : IBrokerLink
    {
        public List<(ulong Tag, string Id, string Body, string RoutingKey)> Unconfirmed { get; } = [];

        private ulong _tag;

        public bool IsClosed { get; private set; }

        public bool Hangs { get; set; }

        /// <summary>What a publish waits for while the link hangs. A test may complete it.</summary>
        public TaskCompletionSource Taken { get; } = new();

        /// <summary>Whether a message was confirmed that had not come back.</summary>
        public bool HasRouted { get; private set; }

        public ValueTask PublishAsync(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
        {
            if (IsClosed) throw new InvalidOperationException("the fake link is closed");

            if (broker.Bug is not null) throw broker.Bug;

            broker.Fields.Add(Encoding.UTF8.GetString(entry.Fields.Span));
            broker.Classes.Add(entry.Class);
            var key = route.IsGap ? route.Keys.Resolve(default) : route.Keys.Resolve(entry.Body.Span, entry.Class);
            Unconfirmed.Add((++_tag, Encoding.UTF8.GetString(messageId.Span), Encoding.UTF8.GetString(entry.Body.Span), key.Value));
            return Hangs ? new ValueTask(Taken.Task) : ValueTask.CompletedTask;
        }

        public void ConfirmOne(int index)
        {
            var message = Unconfirmed[index];
            Unconfirmed.RemoveAt(index);
            HasRouted = true;
            broker.Queue.Add((message.Id, message.Body, message.RoutingKey));
            events.Confirmed(connectionNumber, message.Tag, multiple: false, refused: false);
        }

        public void ConfirmUpTo(int count)
        {
            if (count == 0) return;

            HasRouted = true;
            var last = Unconfirmed[count - 1].Tag;
            foreach (var message in Unconfirmed.Take(count)) broker.Queue.Add((message.Id, message.Body, message.RoutingKey));

            Unconfirmed.RemoveRange(0, count);
            events.Confirmed(connectionNumber, last, multiple: true, refused: false);
        }

        public void RefuseOne(int index)
        {
            var message = Unconfirmed[index];
            Unconfirmed.RemoveAt(index);
            events.Confirmed(connectionNumber, message.Tag, multiple: false, refused: true);
        }

        public void ReturnOne(int index)
        {
            var message = Unconfirmed[index];
            Unconfirmed.RemoveAt(index);
            events.Returned(connectionNumber, message.Id, "NO_ROUTE");
            events.Confirmed(connectionNumber, message.Tag, multiple: false, refused: false);
        }

        /// <summary>The connection breaks; the first <paramref name="taken"/> of the unconfirmed had reached a queue all the same.</summary>
        public void Break(int taken)
        {
            IsClosed = true;
            foreach (var message in Unconfirmed.Take(taken)) broker.Queue.Add((message.Id, message.Body, message.RoutingKey));

            events.Closed(connectionNumber, LinkFailureKind.Connection, "the fake broker broke the connection");
        }

        /// <summary>One of the unconfirmed was longer than the broker takes.</summary>
        public void CloseAsTooLarge()
        {
            IsClosed = true;
            events.Closed(connectionNumber, LinkFailureKind.MessageTooLarge, "the fake broker closed the channel: 406 PRECONDITION_FAILED - message size 300 is larger than configured max size 200");
        }

        public void Block(bool blocked, string reason = "memory") => events.Blocked(connectionNumber, blocked ? reason : null);

        public Task CloseAsync(TimeSpan deadline)
        {
            IsClosed = true;
            return Task.CompletedTask;
        }

        public void Abandon() => IsClosed = true;
    }
}
