// What is wrong with these bytes, and where?
namespace KeyEvt.Resp;

/// <summary>
/// The bytes are not RESP. For a request the message is the text of Redis' own error line (without <c>-ERR </c>); it holds no CR, LF or NUL.
/// The stream cannot be read further.
/// </summary>
public sealed class RespProtocolException(string message, long offset, long releasedBefore = 0) : Exception(message)
{
    /// <summary>The offending byte, counted from the first byte of the stream (of the frame, for a reader of one frame).</summary>
    public long Offset { get; } = offset;

    /// <summary>
    /// Bytes, counted from the first one not yet released, that belong to whole valid requests in front of the bad one and must
    /// still be forwarded.
    /// </summary>
    public long ReleasedBefore { get; } = releasedBefore;
}
