using System.Text;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Candidates;

/// <summary>
/// Which requests must the session see whole? <c>key_evt_amqp.*</c>, MODULE (the replaced module's loading) and CLIENT (its REPLY is observed).
/// Asked once for every request of every client: all others leave at the first byte or the length. Through the port of a cluster's node also CLUSTER (its answers name nodes), and with --merge-keyspace
/// what <see cref="FanInCommands"/> names.
/// </summary>
internal readonly struct CandidateFilter(bool isNodePort, bool isMerging = false) : IRequestFilter
{
    public bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount)
    {
        if (nameHead.IsEmpty) return false;
        if (isMerging && FanInCommands.Of(nameHead, nameLength) != FanInCommand.None) return true;
        return (nameHead[0] | 0x20) switch
        {
            'k' => CommandNames.HasPrefix(nameHead),
            'm' => nameLength == 6 && argumentCount is (>= 3 or IRequestFilter.UnknownCount) && Ascii.EqualsIgnoreCase(nameHead, CommandNames.Module),
            'c' when nameLength == 6 => argumentCount is (3 or IRequestFilter.UnknownCount) && Ascii.EqualsIgnoreCase(nameHead, CommandNames.Client),
            'c' when nameLength == 7 => isNodePort && argumentCount is (2 or 3 or IRequestFilter.UnknownCount) && Ascii.EqualsIgnoreCase(nameHead, CommandNames.Cluster),
            _ => false,
        };
    }
}
