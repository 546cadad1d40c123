using System.Globalization;
using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Keys;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is what a promoted replica sent told apart: echoes of its old master, and what is new?</summary>
/// <remarks>A stream is written as "event key" and "|n" for the marker n, with blanks between.</remarks>
public sealed class PromotionOverlapTests
{
    [Theory]
    [InlineData("set:a set:b", "set:a set:b", "")] // all of it was sent
    [InlineData("set:a set:b set:c", "set:a set:b", "set:c")] // the last came after the promotion, or the dying master's word of it never came
    [InlineData("set:b set:c", "set:a set:b", "set:c")] // the front was known to be echo before
    [InlineData("set:x", "set:a set:b", "set:x")]
    [InlineData("", "set:a", "")]
    [InlineData("set:a", "", "set:a")]
    [InlineData("del:a set:b", "expired:a", "set:b")]
    [InlineData("set:a", "expired:a", "set:a")] // no replica says this for that
    [InlineData("del:a", "set:a", "del:a")]
    [InlineData("del:a del:b set:c srem:d hset:e set:f", "expired:a evicted:b incrbyfloat:c spop:d hincrbyfloat:e", "set:f")]
    [InlineData("set:a set:hot set:b", "set:hot set:c", "set:a set:hot set:b")] // the likeness is chance
    [InlineData("keymiss:z set:a keymiss:z set:b", "set:a", "keymiss:z set:b")] // reading is a node's own
    [InlineData("set:a set:b set:c", "set:a keymiss:z set:b", "set:c")] // and no replica repeats it
    [InlineData("set:a |9 set:b set:c", "set:a |1 set:b", "set:c")] // markers of which the other stream has none
    [InlineData("|1 set:a |2 set:a", "|1 set:a |2", "set:a")] // told apart by the marker alone
    [InlineData("|1 set:a set:a", "|1 set:a", "set:a")]
    [InlineData("set:a |2 set:b set:c", "set:a |1 set:a |2 set:b", "set:c")]
    public void What_is_behind_the_echoes_is_new(string kept, string sent, string fresh) => Assert.Equal(fresh, Fresh(kept, sent));

    [Theory]
    [InlineData("set:a set:b set:c set:d set:e", "set:c set:d", "set:e")]
    [InlineData("set:a set:x set:b set:c set:d set:x set:e", "set:x set:b set:c set:d set:x", "set:e")]
    [InlineData("set:a set:x set:b", "set:x set:b set:c", "")] // the replica had not got all of it
    public void What_was_read_before_anything_that_is_known_of_the_master_is_an_echo_too(string kept, string sent, string fresh) =>
        Assert.Equal(fresh, Fresh(kept, sent, sentAt: 1));

    [Fact]
    public void A_likeness_that_may_be_chance_is_said()
    {
        Assert.False(PromotionOverlap.Find(Stream("incrby:a"), Stream("incrby:a incrby:a")).IsCertain);
        Assert.True(PromotionOverlap.Find(Stream("incrby:a"), Stream("incrby:a set:b")).IsCertain);
        Assert.True(PromotionOverlap.Find(Stream("|1 incrby:a"), Stream("|1 incrby:a incrby:a")).IsCertain);
        Assert.False(PromotionOverlap.Find(Stream("set:b incrby:a"), Stream("set:b incrby:a incrby:a")).IsCertain); // one of the two
        Assert.True(PromotionOverlap.Find(Stream("set:a"), Stream("set:a set:b")).IsCertain);
        Assert.True(PromotionOverlap.Find(Stream("set:a"), Stream("set:a del:a")).IsCertain);
        Assert.True(PromotionOverlap.Find(Stream($"rpush:{FallbackKey.Name} set:a rpush:{FallbackKey.Name}"), Stream($"rpush:{FallbackKey.Name} set:a rpush:{FallbackKey.Name}")).IsCertain);
        Assert.True(PromotionOverlap.Find(Stream("set:a"), [.. Stream("set:a"), Stream("set:a")[0] with { Database = 1 }]).IsCertain);
    }

    [Fact]
    public void An_event_that_two_nodes_sent_has_one_position_and_each_of_equal_ones_its_own()
    {
        var aliases = new EventAliases();
        var (fresh, doubtful) = (At(1, Stream("del:a set:b set:b set:c")), At(2, Stream("expired:a set:b set:b")));
        aliases.Note(fresh, doubtful, static (in position) => position.Count == 2 ? null : position);
        Assert.Equal([doubtful[0].Position, fresh[1].Position, doubtful[2].Position, fresh[3].Position], fresh.Select(one => aliases.Of(one.Position)));
        aliases.Note([], doubtful, static (in position) => position);
        Assert.Equal(fresh[0].Position, aliases.Of(fresh[0].Position));
    }

    private static RecordedNotification[] At(ulong run, IReadOnlyList<RecordedNotification> stream) => [.. stream.Select((one, index) => one with { Position = new EventPosition(run, 1, index + 1) })];

    [Fact]
    public void Another_database_is_another_key() => Assert.Equal(0, PromotionOverlap.Find([Stream("set:a")[0] with { Database = 1 }], Stream("set:a")).First);

    [Fact]
    public void Wherever_the_master_died_nothing_new_is_taken_for_an_echo_and_no_echo_for_new()
    {
        // The master sends 0..length; it dies having sent up to `heard`; its replica got up to `replicated`, and then writes its own. What it kept begins at `cut`, what is known of the
        // master at `known`.
        var scenes = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 40], Gen.Int[0, 40], Gen.Int[0, 10], Gen.Int[0, 15], Gen.Int[0, 20]);
        scenes.Sample((heard, replicated, cut, own, markers, known) =>
        {
            cut = Math.Min(cut, replicated);
            known = Math.Min(known, Math.Max(0, Math.Min(heard, replicated) - 1)); // the two have something in common
            List<RecordedNotification> sent = [.. Numbers(known, heard, markers).Select(one => one with { ReadAt = known > cut ? 1 : 0 })];
            var kept = Numbers(cut, replicated, markers).Concat(Enumerable.Range(0, own).Select(n => One("set", $"own{n}"))).ToList();
            var split = PromotionOverlap.Find(kept, sent);
            var fresh = kept.Skip(split.First).Where(one => !one.IsMarker).Select(KeyOf).ToList();
            var expected = Enumerable.Range(Math.Max(cut, heard), Math.Max(0, replicated - Math.Max(cut, heard))).Select(n => n.ToString(CultureInfo.InvariantCulture)).Concat(Enumerable.Range(0, own).Select(n => $"own{n}"));
            Assert.Equal(expected, fresh);
        });
    }

    [Theory]
    [InlineData("set:a set:b", "set:b", "set:a")]
    [InlineData("expired:a", "del:a", "")] // its own, which came to the successor as an echo and was sent from there
    [InlineData("del:a", "expired:a", "")] // the successor's, echoed
    [InlineData("set:a set:a", "set:a", "set:a")]
    public void Of_a_demoted_node_that_is_its_own_which_its_successor_has_not_sent(string doubtful, string sent, string own) =>
        Assert.Equal(own, string.Join(' ', PromotionOverlap.NotIn(Stream(doubtful), Stream(sent)).Select(Word)));

    private static List<RecordedNotification> Numbers(int from, int to, int markerEvery)
    {
        var stream = new List<RecordedNotification>();
        for (var n = from; n < to; n++)
        {
            if (markerEvery > 0 && n % markerEvery == 0) stream.Add(Marker($"m{n}"));
            stream.Add(One("set", n.ToString(CultureInfo.InvariantCulture)));
        }

        return stream;
    }

    private static string Fresh(string kept, string sent, long sentAt = 0)
    {
        var stream = Stream(kept);
        List<RecordedNotification> known = [.. Stream(sent).Select(one => one with { ReadAt = sentAt })];
        return string.Join(' ', stream.Skip(PromotionOverlap.Find(stream, known).First).Where(one => !one.IsMarker).Select(Word));
    }

    private static string Word(RecordedNotification one) => $"{Encoding.ASCII.GetString(one.Event.Span)}:{KeyOf(one)}";

    private static string KeyOf(RecordedNotification one) => Encoding.ASCII.GetString(one.Key.Span);

    private static List<RecordedNotification> Stream(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word[0] == '|' ? Marker(word) : One(word.Split(':')[0], word.Split(':')[1]))];

    private static RecordedNotification One(string name, string key) => new(default, 0, Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(key), default, 0, default);

    private static RecordedNotification Marker(string payload) => new(default, 0, default, default, default, 0, Encoding.ASCII.GetBytes(payload));
}
