using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is what came last kept whole, in order and within its bound?</summary>
public sealed class NotificationKeepTests
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

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.ASCII.GetString(bytes.Span);
}
