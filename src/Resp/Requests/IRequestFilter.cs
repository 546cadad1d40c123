// Which requests does the proxy want to see whole?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Decides from the head of the command name whether a request must be held whole. Implemented by a struct, so that the call is
/// compiled into the framer's loop; asked once for each request, again for one that is passed, and twice for an inline line whose first word servers read
/// differently.
/// </summary>
public interface IRequestFilter
{
    /// <summary>As many arguments as it may be: a request is asked about before its line has ended.</summary>
    const long UnknownCount = -1;

    /// <summary>True when the request must not be forwarded before its owner has seen all of it.</summary>
    /// <param name="nameHead">Up to the first 16 bytes of the name, in the case it was sent in; empty for an empty name.</param>
    /// <param name="nameLength">Bytes of the whole name; in an inline line 16 stands for 16 and more.</param>
    /// <param name="argumentCount">Arguments of the request, the name included; or <see cref="UnknownCount"/>, in an inline line.</param>
    bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount);
}
