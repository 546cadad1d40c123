namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>With which term does this program use the lists? A higher term that stands beside a list in Redis refuses it, see <see cref="ListScripts"/>.</summary>
/// <remarks>Thread safe: the delivery loop raises it, and steps that run beside the loop read it.</remarks>
internal sealed class ListFence
{
    private long _term;

    /// <summary>0: it has not held the lists yet.</summary>
    public long Term => Volatile.Read(ref _term);

    /// <summary>A term never falls.</summary>
    public void Raise(long term)
    {
        if (term > _term) Volatile.Write(ref _term, term);
    }
}
