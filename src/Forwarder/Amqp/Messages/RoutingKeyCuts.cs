namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>How many routing keys were cut at AMQP's 255 bytes? Counted by the delivery loop, read by anyone.</summary>
internal sealed class RoutingKeyCuts
{
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public void Add() => Volatile.Write(ref _count, _count + 1);
}
