namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>May this program use the lists in Redis at the moment, and which other member of the group has it been refused for?</summary>
/// <remarks>
/// The lists belong to the group; its holder alone uses them. Written by the delivery loop, except for
/// <see cref="WillBegin"/> and <see cref="WillEnd"/>; any thread may read it.
/// </remarks>
internal sealed class ListOffice(TimeProvider time)
{
    private volatile bool _isHeld;
    private volatile FenceRefusal? _fenced;
    private long _term; // the highest one that was asked for; read and written by Volatile

    public bool IsHeld => _isHeld;

    /// <summary>The last refusal by the fence since the office began or ended. Null: there was none, or a higher term has been asked for since.</summary>
    public FenceRefusal? Fenced => _fenced is { } last && last.Term > Volatile.Read(ref _term) ? last : null;

    /// <summary>The office is about to begin, or its term to rise. Any thread may call it.</summary>
    public void WillBegin(long term)
    {
        if (term > Volatile.Read(ref _term)) Volatile.Write(ref _term, term);

        _fenced = null;
    }

    /// <summary>The office is about to end. Any thread may call it.</summary>
    public void WillEnd() => _fenced = null;

    public void Begin() => _isHeld = true;

    public void End()
    {
        _isHeld = false;
        _fenced = null;
    }

    /// <summary>A step was refused: another member has this term.</summary>
    public void Refused(long term) => _fenced = new FenceRefusal(time.GetTimestamp(), term);
}
