namespace KeyEvt.Forwarder.Redis;

/// <summary>Where do the frames of a connection go? Called on its read loop: synchronous, never waits.</summary>
internal interface IFrameSink
{
    /// <param name="frame">One whole frame, gone after the call.</param>
    void Frame(ReadOnlySpan<byte> frame);

    /// <summary>A push of this many bytes is read past.</summary>
    void Oversized(long bytes);

    /// <summary>All whole frames of one read have been given.</summary>
    void EndOfRead();
}
