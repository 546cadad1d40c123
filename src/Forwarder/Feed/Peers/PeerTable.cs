using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>Which other members are there? Whoever has said nothing for a while is forgotten.</summary>
/// <remarks>It decides only when this program proposes something, never what is true. Used under the lock of the feed.</remarks>
internal sealed class PeerTable(string me, TimeProvider time)
{
    /// <summary>For this long a member counts as there. Without events, a standby marks every two seconds.</summary>
    private static readonly TimeSpan ThereFor = TimeSpan.FromSeconds(3);

    /// <summary>The same for a member without a seat, which marks every five seconds.</summary>
    private static readonly TimeSpan SeatlessThereFor = TimeSpan.FromSeconds(8);

    /// <summary>The same for a member that hears no events because none are wanted. It marks every ten seconds.</summary>
    private static readonly TimeSpan IdleThereFor = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(30);

    /// <summary>More are not kept: who publishes such a number of names is no member.</summary>
    private const int Most = 256;

    private readonly Dictionary<string, Peer> _peers = [];

    /// <summary>Those that are there, by name.</summary>
    public IEnumerable<Peer> There => _peers.Values.Where(peer => time.GetElapsedTime(peer.HeardAt) < SilenceOf(peer)).OrderBy(peer => peer.Name, StringComparer.Ordinal);

    public void Heard(GroupMessage message)
    {
        if (message.Member == me) return;

        var now = time.GetTimestamp();
        if (!_peers.TryGetValue(message.Member, out var known) && !MayAdd()) return;

        _peers[message.Member] = message is GroupMessage.Mark mark
            ? new Peer(mark.Member, now, now, mark.Reach, mark.IsBrokerThere, mark.Classes)
            : (known ?? new Peer(message.Member, now)) with { HeardAt = now };
    }

    /// <summary>For how long it may say nothing.</summary>
    private static TimeSpan SilenceOf(Peer peer) => peer.Classes == EventClass.None && peer.MarkedAt != 0 ? IdleThereFor : peer.Reach is null ? SeatlessThereFor : ThereFor;

    private bool MayAdd()
    {
        if (_peers.Count < Most) return true;

        foreach (var old in _peers.Values.Where(peer => time.GetElapsedTime(peer.HeardAt) > KnownFor).ToList()) _peers.Remove(old.Name);
        return _peers.Count < Most;
    }
}
