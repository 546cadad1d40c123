using System.Text;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Candidates;

/// <summary>
/// Which requests must the session hold whole? <c>key_evt_amqp.*</c>, MODULE (the replaced module may be loaded by it) and CLIENT (its REPLY matters). Through
/// the port that leads to a cluster's node also CLUSTER, whose answers name nodes; with --merge-keyspace also what <see cref="FanInCommands"/> names. Called
/// for every request of every client: nearly all are told apart by their first byte or their length.
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
