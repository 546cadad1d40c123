namespace KeyEvt.Proxy.Session;

/// <summary>Frames that go to the client between the upstream's replies. Any thread may add frames; only the session's reply pump takes them out.</summary>
internal interface IInsertedFrames
{
    bool HasSome { get; }

    /// <summary>
    /// How many frames may be taken before the pump goes back to the replies. Frames that come later wake the pump again, so replies are not starved.
    /// </summary>
    int BeginTaking();

    /// <summary>Takes out the next frame. Empty when nobody wants that frame any more.</summary>
    ReadOnlyMemory<byte> Take();
}
