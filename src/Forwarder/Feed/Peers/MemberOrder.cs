using System.Text;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>Which member of a group is to say something first, where several could? Usually the first by name.</summary>
/// <remarks>
/// In a cluster each master has another order, so that the holders of its masters are spread over the members. Where a replica may take the place of a
/// master, whoever holds the master's stream comes first: it knows best what the master has left. It decides only who proposes first, never what is true.
/// </remarks>
/// <param name="me">The name of this member.</param>
internal sealed class MemberOrder(string me)
{
    /// <summary>The member that should hold the stream, if it can; null: no one.</summary>
    public Func<string?> Preferred { get; init; } = static () => null;

    /// <summary>What the order is made of; null: of the names alone.</summary>
    public Func<string?> Seed { get; init; } = static () => null;

    public string Me => me;

    /// <summary>Whether another member should hold the stream, and is there.</summary>
    public bool IsAnotherPreferred(PeerTable peers) => Preferred() is { } other && other != me && peers.There.Any(peer => peer.Name == other);

    /// <summary>Whether another member comes before this one.</summary>
    public bool IsBefore(string other) => Compare(other, me) < 0;

    public int Compare(string one, string other)
    {
        var preferred = Preferred();
        if (preferred is not null && one != other && (one == preferred || other == preferred)) return one == preferred ? -1 : 1;

        var order = Seed() is { } seed ? Hash(seed, one).CompareTo(Hash(seed, other)) : 0;
        return order != 0 ? order : string.CompareOrdinal(one, other);
    }

    /// <summary>FNV-1a, 32 bits, and its bits mixed once more: the same in every program.</summary>
    private static uint Hash(string seed, string name)
    {
        var hash = 2166136261;
        foreach (var one in Encoding.UTF8.GetBytes($"{seed} {name}")) hash = (hash ^ one) * 16777619;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return hash ^ (hash >> 16);
    }
}
