namespace KeyEvt.Forwarder.Redis;

/// <summary>Carries a <see cref="RedisFault"/> up to where the connection is ended.</summary>
internal sealed class RedisFaultException(RedisFault fault) : Exception(fault.Text)
{
    public RedisFaultException(RedisFaultKind kind, string text)
        : this(new RedisFault(kind, text))
    {
    }

    public RedisFault Fault => fault;
}
