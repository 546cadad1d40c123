namespace KeyEvt.Forwarder.Feed;

/// <summary>Carries a <see cref="FeedFault"/> up to where the connection is ended.</summary>
internal sealed class FeedFaultException(FeedFault fault) : Exception(fault.Text)
{
    public FeedFaultException(FeedFaultKind kind, string text)
        : this(new FeedFault(kind, text))
    {
    }

    public FeedFault Fault => fault;
}
