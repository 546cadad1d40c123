// Which requests does the proxy want to see whole?
namespace KeyEvt.Resp;

/// <summary>
/// Decides from the head of the command name whether a request must be held whole. Implemented by a struct, so that the call is
/// compiled into the framer's loop; asked once for each request (again for one that is passed).
/// </summary>
public interface IRequestFilter
{
    /// <summary>True when the request must not be forwarded before its owner has seen all of it.</summary>
    /// <param name="nameHead">Up to the first 16 bytes of the name, in the case it was sent in; empty for an empty name.</param>
    /// <param name="nameLength">Bytes of the whole name.</param>
    /// <param name="argumentCount">Arguments of the request, the name included.</param>
    bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount);
}
