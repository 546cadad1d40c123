namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>How many routing keys were cut at AMQP's 255 bytes?</summary>
internal sealed class RoutingKeyCutCounter
{
    /// <summary>Written by the delivery loop only, with Volatile.Write. Any thread reads it with Volatile.Read.</summary>
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public void Add() => Volatile.Write(ref _count, _count + 1);
}
