using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is what came last kept whole, in order and within its bound?</summary>
public sealed class NotificationRingTests
{
    [Fact]
    public void What_is_added_is_read_back_in_order()
    {
        var keep = new NotificationRing(1 << 20);
        for (var n = 0; n < 1000; n++)
        {
            keep.Add(new EventPosition(1, 2, n), n, "set"u8, Encoding.ASCII.GetBytes($"key{n}"), Encoding.ASCII.GetBytes($"1:{n % 10}"), n);
            if (n % 100 == 0) keep.AddMarker(Encoding.ASCII.GetBytes($"m{n}"));
        }

        var all = keep.Read();
        Assert.Equal(1010, all.Count);
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"set key{n} 1:{n % 10} {n} {n}"), all.Where(one => !one.IsMarker).Select(one => $"{Text(one.Event)} {Text(one.Key)} {Text(one.Fields)} {one.Database} {one.Position.Count}"));
        Assert.Equal("m900", Text(all.Last(one => one.IsMarker).Marker));
    }

    [Fact]
    public void The_oldest_make_room_and_it_is_said()
    {
        var keep = new NotificationRing(10_000);
        for (var n = 0; n < 1000; n++) keep.Add(default, n, "set"u8, "key"u8, default, 0);
        var all = keep.Read();
        Assert.True(keep.HasOverflowed);
        Assert.True(keep.Bytes <= 10_000);
        Assert.Equal(Enumerable.Range(1000 - all.Count, all.Count), all.Select(one => one.Database));
        keep.Add(default, 0, "set"u8, new byte[20_000], default, 0); // larger than everything
        Assert.Empty(keep.Read());
    }

    [Fact]
    public void A_cut_forgets_what_is_before_it()
    {
        var keep = new NotificationRing(1 << 20);
        keep.Add(default, 1, "set"u8, "a"u8, default, 0);
        var cut = keep.Next;
        keep.Add(default, 2, "set"u8, "b"u8, default, 0);
        keep.Cut(cut);
        Assert.Equal([2], keep.Read().Select(one => one.Database));
        keep.Cut(keep.Next);
        Assert.Empty(keep.Read());
    }

    [Fact]
    public void A_drain_hands_all_out_and_allocates_nothing_for_those_that_come_later()
    {
        var keep = new NotificationRing(int.MaxValue);
        var seen = 0;
        NotificationRing.Visitor count = (in _, _, _, _, _, _, _) => seen++;
        for (var round = 0; round < 3; round++) Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(400, seen);

        void Round()
        {
            for (var n = 0; n < 100; n++) keep.Add(default, n, "set"u8, "key"u8, default, 0);
            keep.Drain(count);
        }
    }

    [Fact]
    public void What_just_fits_is_kept_and_one_byte_less_of_room_makes_the_oldest_go()
    {
        var size = SizeOf("key");
        NotificationRing exact = new(2 * size), small = new((2 * size) - 1), one = new(size), none = new(size - 1);
        foreach (var ring in new[] { exact, small, one, none })
        {
            ring.Add(default, 1, "set"u8, "key"u8, default, 0);
            ring.Add(default, 2, "set"u8, "key"u8, default, 0);
        }

        Assert.Equal((false, 2 * size), (exact.HasOverflowed, exact.Bytes));
        Assert.Equal((true, size), (small.HasOverflowed, small.Bytes));
        Assert.Equal((true, size), (one.HasOverflowed, one.Bytes));
        Assert.Equal((true, 0), (none.HasOverflowed, none.Bytes));
        Assert.Equal([2], one.Read().Select(entry => entry.Database));
    }

    [Fact]
    public void A_drain_hands_everything_out_as_it_was_added()
    {
        var keep = new NotificationRing(1 << 20);
        keep.Add(new EventPosition(1, 2, 3), 4, "set"u8, "key"u8, "1:f"u8, 5);
        keep.AddMarker("marker"u8);
        keep.Add(new EventPosition(6, 7, 8), 9, "del"u8, "other"u8, default, 10);
        var seen = new List<string>();
        keep.Drain((in position, database, name, key, fields, readAt, marker) =>
            seen.Add($"{position.RunId} {position.Marker} {position.Count} {database} {Text(name)} {Text(key)} {Text(fields)} {readAt} {Text(marker)}"));

        Assert.Equal(["1 2 3 4 set key 1:f 5 ", "0 0 0 0    0 marker", "6 7 8 9 del other  10 "], seen);
        Assert.Equal(0, keep.Bytes);
        Assert.Empty(keep.Read());
    }

    [Fact]
    public void Numbers_go_on_over_a_drain_a_clearing_and_what_is_too_large()
    {
        var keep = new NotificationRing(1000);
        for (var n = 0; n < 3; n++) keep.Add(default, n, "set"u8, "k"u8, default, 0);
        keep.Drain(static (in _, _, _, _, _, _, _) => { });
        Assert.Equal(3, keep.Next);
        CutLeavesTheNext(3);
        keep.Add(default, 0, "set"u8, "k"u8, default, 0);
        keep.Clear();
        CutLeavesTheNext(5);
        keep.Add(default, 0, "set"u8, new byte[2000], default, 0);
        Assert.True(keep.HasOverflowed);
        CutLeavesTheNext(7);
        Assert.False(keep.HasOverflowed);
        keep.Add(default, 0, "set"u8, new byte[2000], default, 0);
        keep.Clear();
        Assert.False(keep.HasOverflowed);

        void CutLeavesTheNext(long number)
        {
            Assert.Equal(number, keep.Next);
            keep.Add(default, 77, "set"u8, "k"u8, default, 0);
            keep.Cut(number);
            Assert.Equal([77], keep.Read().Select(one => one.Database));
            keep.Cut(number + 1);
            Assert.Empty(keep.Read());
        }
    }

    [Fact]
    public void Of_any_mixture_of_sizes_as_much_is_kept_as_fits()
    {
        const int Room = 12_000;
        var random = new Random(7);
        var keep = new NotificationRing(Room);
        var expected = new Queue<(int Database, int Length)>();
        var overhead = SizeOf("");
        for (var n = 0; n < 3000; n++)
        {
            var key = new byte[random.Next(n % 7 == 0 ? 3000 : 100)];
            keep.Add(default, n, "set"u8, key, default, 0);
            expected.Enqueue((n, key.Length));
            while (expected.Sum(one => one.Length + overhead) > Room) expected.Dequeue();
            if (random.Next(50) == 0)
            {
                keep.Cut(n); // all but the newest
                while (expected.Count > 1) expected.Dequeue();
            }

            Assert.Equal(expected, keep.Read().Select(one => (one.Database, one.Key.Length)));
        }
    }

    private static int SizeOf(string key)
    {
        var ring = new NotificationRing(1 << 20);
        ring.Add(default, 0, "set"u8, Encoding.ASCII.GetBytes(key), default, 0);
        return ring.Bytes;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.ASCII.GetString(bytes.Span);
}
