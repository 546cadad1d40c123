namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Passes received bytes on at the moment of receiving: on the connection's loop, as the block they came in. So no read has to be completed, continued and
/// begun again. That is nearly always possible, and saves two fifths of the user CPU time per request (bench/RESULTS.md). An abstract class, since an interface
/// call has to look up the method.
/// </summary>
internal abstract class ZeroCopyForwarder
{
    /// <summary>Counted on one thread at a time, the one that forwards or reads at that moment; read by Volatile on any thread.</summary>
    private long _reads;

    /// <summary>How many times bytes have come, whether they were forwarded or read. From any thread.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <param name="received">All bytes that are unread, at least one. Not called at the end of the stream.</param>
    public abstract ForwardResult TryForward(Block received);

    /// <summary>Called on the one thread that forwards or reads at that moment.</summary>
    protected void CountRead() => _reads++;
}
