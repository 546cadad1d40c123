namespace KeyEvt.Proxy.Session;

/// <summary>Frames that go to the client between the upstream's replies. Filled by anybody, emptied by the session's reply pump alone.</summary>
internal interface IInsertedFrames
{
    bool HasSome { get; }

    /// <summary>How many may be taken in this turn. What comes later wakes the pump again, so that replies have their turn too.</summary>
    int BeginTaking();

    /// <summary>The next one. Empty: nobody wants it any more.</summary>
    ReadOnlyMemory<byte> Take();
}
