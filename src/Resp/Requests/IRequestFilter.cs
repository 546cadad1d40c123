// Which requests does the proxy want to see whole?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Decides from the head of the command name whether a request must be held whole. It is implemented by a struct, so that the call is compiled into
/// the framer's loop. It is asked once for each request, and again for a request that is passed after being held. For an inline line whose first word
/// is read differently by different servers, it is asked twice.
/// </summary>
public interface IRequestFilter
{
    /// <summary>
    /// The argument count is not known, because the filter is asked before the inline line has ended. Treat it as any count that makes the request a
    /// candidate.
    /// </summary>
    const long UnknownCount = -1;

    /// <summary>Returns true if the request must not be forwarded before the caller has seen all of it.</summary>
    /// <param name="nameHead">Up to the first 16 bytes of the name, in the case in which the client sent it; empty for an empty name.</param>
    /// <param name="nameLength">Bytes of the whole name. For an inline line, 16 means 16 or more.</param>
    /// <param name="argumentCount">Arguments of the request, the name included; for an inline line <see cref="UnknownCount"/>.</param>
    bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount);
}
