using System.Text;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Events;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Broker;

/// <summary>One connection as the program sees it.</summary>
internal sealed class VirtualLink(string member, VirtualBroker broker, BrokerSession session, Wire up) : IBrokerLink
{
    /// <summary>With more messages under way than this, the library waits before it takes another.</summary>
    private const int MostUnderWay = 300;

    private TaskCompletionSource? _room;
    private ulong _tag;
    private bool _isAbandoned;

    public ValueTask PublishAsync(in LogEntry entry, MessageRoute route, ReadOnlyMemory<byte> messageId)
    {
        if (_isAbandoned) throw new InvalidOperationException("the link is given up");

        var tag = ++_tag;
        var message = new BrokerMessage(member, Encoding.Latin1.GetString(messageId.Span), Encoding.Latin1.GetString(entry.Body.Span));
        up.Put(() =>
        {
            _room?.TrySetResult();
            broker.Handle(() => session.Take(tag, message));
        });
        if (up.Count <= MostUnderWay) return ValueTask.CompletedTask;

        _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new ValueTask(_room.Task);
    }

    public Task CloseAsync(TimeSpan deadline)
    {
        Abandon();
        return Task.CompletedTask;
    }

    public void Abandon()
    {
        if (_isAbandoned) return;

        _isAbandoned = true;
        session.Abandon();
    }
}
