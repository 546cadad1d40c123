namespace KeyEvt.Forwarder.Redis;

/// <summary>Who receives the frames of a connection? Called on its read loop: must be synchronous, and never wait.</summary>
internal interface IFrameSink
{
    /// <param name="frame">One whole frame; valid only during the call.</param>
    void Frame(ReadOnlySpan<byte> frame);

    /// <summary>A push of this many bytes was too large and is skipped.</summary>
    void Oversized(long bytes);

    /// <summary>All whole frames of one read have been passed on.</summary>
    void EndOfRead();
}
