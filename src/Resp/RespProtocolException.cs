// What is wrong with these bytes, and where?
namespace KeyEvt.Resp;

/// <summary>
/// The bytes are not valid RESP, so the stream cannot be read any further. For a request, the message is the text of Redis' own error line without
/// <c>-ERR </c>. It holds no CR, LF or NUL.
/// </summary>
public sealed class RespProtocolException(string message, long offset, long releasedBefore = 0) : Exception(message)
{
    /// <summary>Offset of the offending byte from the first byte of the stream. A reader of one frame counts from the frame's first byte.</summary>
    public long Offset { get; } = offset;

    /// <summary>
    /// Bytes that belong to complete, valid requests in front of the bad one. They must still be forwarded. Counted from the first byte that is not
    /// yet released.
    /// </summary>
    public long ReleasedBefore { get; } = releasedBefore;
}
