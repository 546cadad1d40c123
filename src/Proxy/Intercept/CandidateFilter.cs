using System.Text;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// Which requests must the session see whole? <c>key_evt_amqp.*</c>, MODULE (the replaced module's loading) and CLIENT (its REPLY is observed).
/// Asked once for every request of every client: all others leave at the first byte or the length.
/// </summary>
internal readonly struct CandidateFilter : IRequestFilter
{
    public bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount)
    {
        if (nameHead.IsEmpty) return false;
        return (nameHead[0] | 0x20) switch
        {
            'k' => CommandNames.HasPrefix(nameHead),
            'm' => nameLength == 6 && argumentCount >= 3 && Ascii.EqualsIgnoreCase(nameHead, CommandNames.Module),
            'c' => nameLength == 6 && argumentCount == 3 && Ascii.EqualsIgnoreCase(nameHead, CommandNames.Client),
            _ => false,
        };
    }
}
