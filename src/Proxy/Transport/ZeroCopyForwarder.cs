namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Who passes on what is received, where it is received: on the connection's loop, as the block it came in, without a read that has to be completed, continued and begun
/// anew. That is nearly always possible, and saves two fifths of the user time a request takes (bench/RESULTS.md). A class, as calling an interface costs a search.
/// </summary>
internal abstract class ZeroCopyForwarder
{
    private long _reads;

    /// <summary>How many times something has come, passed on or read. From any thread.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <param name="received">All that is unread, never empty; not at the end of the stream.</param>
    public abstract ForwardResult TryForward(Block received);

    /// <summary>On the thread of whoever passes or reads.</summary>
    protected void CountRead() => _reads++;
}
