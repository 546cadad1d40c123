using System.Text;
using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>Which of the notifications that a replica sent before it was known as master are echoes, which its old master had sent already?</summary>
/// <remarks>
/// <para>
/// A replica repeats its master's notifications in the same order, and its own come after them. So the echoes are a piece of the old master's stream.
/// This piece is searched for. Everything up to its end has been forwarded already. What comes behind it is new: it was written after the promotion,
/// or was replicated by the failing master whose own notification never arrived.
/// </para>
/// <para>
/// If PUBLISH is replicated (not in a cluster), the old master's markers also come through the replica's stream at their positions. The piece then
/// begins at the last marker that both streams have. Otherwise the longest matching piece counts, from the replica's first notification on. Where the replica's was read
/// before anything that is known of the master, the piece may also begin later, with the master's first: what comes before it is an echo too.
/// </para>
/// </remarks>
internal static class PromotionOverlap
{
    /// <summary>
    /// Event names that differ: what a replica calls an event that its master has named otherwise (call propagation in Redis' t_*.c, expire.c, evict.c).
    /// </summary>
    private static readonly (string Master, string Replica)[] OtherWords =
    [
        ("expired", "del"), ("evicted", "del"), ("incrbyfloat", "set"), ("spop", "srem"), ("hincrbyfloat", "hset"), ("hexpired", "hdel"),
    ];

    private static readonly (byte[] Master, byte[] Replica)[] Pairs = [.. OtherWords.Select(pair => (Encoding.ASCII.GetBytes(pair.Master), Encoding.ASCII.GetBytes(pair.Replica)))];

    /// <param name="First">The index of the first notification that is new.</param>
    /// <param name="IsCertain">False if the piece was found by similarity only, and something in it occurs more than once.</param>
    public readonly record struct Split(int First, bool IsCertain);

    /// <param name="kept">The replica's notifications, in order, with the old master's markers at their positions.</param>
    /// <param name="sent">The old master's notifications, in order, with its markers.</param>
    public static Split Find(IReadOnlyList<RecordedNotification> kept, IReadOnlyList<RecordedNotification> sent)
    {
        var (from, start) = Anchor(kept, sent);
        var isAnchored = from > 0;
        int[] own = [.. Enumerable.Range(from, kept.Count - from).Where(i => !kept[i].IsMarker && !IsLocal(kept[i]))];
        var masters = sent.Skip(start).Where(one => !one.IsMarker && !IsLocal(one)).ToList();
        if (isAnchored)
        {
            var length = Run(kept, own, 0, masters, 0);
            return new Split(length == 0 ? from : own[length - 1] + 1, true);
        }

        int longest = 0, end = 0, at = 0;
        void Try(int ownFirst, int masterFirst)
        {
            var length = Run(kept, own, ownFirst, masters, masterFirst);
            if (length > longest) (longest, end, at) = (length, ownFirst + length, masterFirst);
        }

        for (var first = 0; first < masters.Count; first++) Try(0, first);
        var isKnownFromEarlier = own.Length > 0 && masters.Count > 0 && kept[own[0]].ReadAt < masters[0].ReadAt; // else likeness further on is chance, and would hide what is new
        for (var first = 1; isKnownFromEarlier && first < own.Length; first++) Try(first, 0);
        if (longest == 0) return new Split(0, true);

        var piece = masters.Skip(at).Take(longest).ToList();
        return new Split(own[end - 1] + 1, piece.All(one => masters.Count(other => IsSame(one, other)) == 1));
    }

    /// <summary>The notifications that the other node has not sent, under either node's name for the event.</summary>
    public static List<RecordedNotification> NotIn(IReadOnlyList<RecordedNotification> notifications, IReadOnlyList<RecordedNotification> sent) =>
        [.. Match(notifications, sent).Where(static pair => pair.Other is null).Select(static pair => pair.One)];

    /// <summary>Each notification, and the same one of the other node, under either node's name for the event; null: it has not sent it.</summary>
    public static List<(RecordedNotification One, RecordedNotification? Other)> Match(IReadOnlyList<RecordedNotification> notifications, IReadOnlyList<RecordedNotification> sent)
    {
        var byKey = sent.Where(one => !one.IsMarker).GroupBy(KeyOf).ToDictionary(group => group.Key, group => group.ToList());
        var pairs = new List<(RecordedNotification, RecordedNotification?)>();
        foreach (var one in notifications)
        {
            var at = byKey.TryGetValue(KeyOf(one), out var same) ? same.FindIndex(other => IsEcho(one, other) || IsEcho(other, one)) : -1;
            pairs.Add((one, at < 0 ? null : same![at]));
            if (at >= 0) same!.RemoveAt(at);
        }

        return pairs;
    }

    private static (int, string) KeyOf(RecordedNotification one) => (one.Database, Encoding.Latin1.GetString(one.Key.Span));

    /// <summary>How many of the replica's notifications, from one on, equal the master's, from one on.</summary>
    private static int Run(IReadOnlyList<RecordedNotification> kept, int[] own, int ownFirst, List<RecordedNotification> masters, int masterFirst)
    {
        var length = 0;
        while (ownFirst + length < own.Length && masterFirst + length < masters.Count && IsEcho(masters[masterFirst + length], kept[own[ownFirst + length]]))
        {
            length++;
        }

        return length;
    }

    /// <summary>The indexes behind the last marker that both streams have; 0 and 0 if there is none.</summary>
    private static (int Kept, int Sent) Anchor(IReadOnlyList<RecordedNotification> kept, IReadOnlyList<RecordedNotification> sent)
    {
        for (var i = kept.Count - 1; i >= 0; i--)
        {
            if (!kept[i].IsMarker) continue;
            for (var j = sent.Count - 1; j >= 0; j--)
            {
                if (sent[j].IsMarker && sent[j].Marker.Span.SequenceEqual(kept[i].Marker.Span)) return (i + 1, j + 1);
            }
        }

        return (0, 0);
    }

    /// <summary>
    /// Whether the event tells nothing about echoes. Reads are not replicated, so neither is a miss. KeyEvt's own keys have the same few events again and again, and nobody gets
    /// them.
    /// </summary>
    private static bool IsLocal(in RecordedNotification one) => one.Event.Span.SequenceEqual("keymiss"u8) || FallbackKey.Is(one.Key.Span);

    private static bool IsSame(in RecordedNotification one, in RecordedNotification other) =>
        one.Database == other.Database && one.Key.Span.SequenceEqual(other.Key.Span) && one.Event.Span.SequenceEqual(other.Event.Span);

    private static bool IsEcho(in RecordedNotification master, in RecordedNotification replica)
    {
        if (master.Database != replica.Database || !master.Key.Span.SequenceEqual(replica.Key.Span)) return false;
        if (master.Event.Span.SequenceEqual(replica.Event.Span)) return true;

        foreach (var (masters, replicas) in Pairs)
        {
            if (master.Event.Span.SequenceEqual(masters) && replica.Event.Span.SequenceEqual(replicas)) return true;
        }

        return false;
    }
}
