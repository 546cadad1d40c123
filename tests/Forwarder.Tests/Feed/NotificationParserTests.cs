using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Feed.Notifications;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Are notifications read in every shape servers send, and is everything else refused without an exception?</summary>
public sealed class NotificationParserTests
{
    private const string Pmessage = ">4\r\n$8\r\npmessage\r\n$18\r\n__keyevent@*__:set\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n";
    private const string Fields = ">4\r\n$8\r\npmessage\r\n$19\r\n__subkeyevent@*__:*\r\n$22\r\n__subkeyevent@0__:hset\r\n$18\r\n5:my|ha|1:a,4:a,b\n\r\n";
    private const string Message = "*3\r\n$7\r\nmessage\r\n$23\r\n__keyevent@15__:expired\r\n$5\r\nkey:1\r\n";

    [Theory]
    [InlineData('>')]
    [InlineData('*')]
    public void A_pmessage_is_read_from_a_push_and_from_an_array(char type)
    {
        var frame = Pushed(type, "pmessage", "__keyevent@*__:*", "__keyevent@0__:set", "key");
        Assert.True(NotificationParser.TryParse(frame, out var notification));
        Assert.Equal(0, notification.Database);
        Assert.Equal("set"u8, notification.Event);
        Assert.Equal("key"u8, notification.Key);
        Assert.Equal("__keyevent@*__:*"u8, notification.Pattern);
    }

    [Theory]
    [InlineData('>')]
    [InlineData('*')]
    public void A_message_is_read_from_a_push_and_from_an_array(char type)
    {
        var frame = Pushed(type, "message", "__keyevent@15__:xgroup-createconsumer", "");
        Assert.True(NotificationParser.TryParse(frame, out var notification));
        Assert.Equal(15, notification.Database);
        Assert.Equal("xgroup-createconsumer"u8, notification.Event);
        Assert.True(notification.Key.IsEmpty);
        Assert.True(notification.Pattern.IsEmpty);
    }

    [Fact]
    public void A_subkeyevent_names_the_key_and_its_fields_whatever_bytes_they_hold()
    {
        Assert.True(NotificationParser.TryParse(Encoding.Latin1.GetBytes(Fields), out var notification));
        Assert.Equal(0, notification.Database);
        Assert.Equal("hset"u8, notification.Event);
        Assert.Equal("my|ha"u8, notification.Key);
        Assert.Equal("1:a,4:a,b\n"u8, notification.Fields);
        Assert.Equal("__subkeyevent@*__:*"u8, notification.Pattern);
        Assert.True(NotificationParser.TryParse(Pushed('>', "message", "__subkeyevent@15__:hdel", "0:|0:"), out notification));
        Assert.Equal((15, true, "0:"), (notification.Database, notification.Key.IsEmpty, Encoding.Latin1.GetString(notification.Fields)));
    }

    [Theory]
    [InlineData("key")]
    [InlineData("3:key")]
    [InlineData("3:key|")]
    [InlineData("3:key,1:a")]
    [InlineData("4:key|1:a")]
    [InlineData("2:key|1:a")]
    [InlineData("03:key|1:a")]
    [InlineData("3:key|1:a,")]
    [InlineData("3:key|2:a")]
    public void A_subkeyevent_that_is_cut_or_padded_is_none(string payload) =>
        Assert.False(NotificationParser.TryParse(Pushed('>', "pmessage", "__subkeyevent@*__:*", "__subkeyevent@0__:hset", payload), out _));

    [Fact]
    public void The_key_may_be_any_bytes()
    {
        byte[] every = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        string[] keys = ["\r\n", "$3\r\nabc\r\n", "\0", "a:b\n", Encoding.Latin1.GetString(every), new string('k', 100_000), ">4\r\n"];
        foreach (var key in keys)
        {
            var frame = Pushed('>', "pmessage", "__keyevent@*__:*", "__keyevent@0__:set", key);
            Assert.True(NotificationParser.TryParse(frame, out var notification));
            Assert.Equal(Encoding.Latin1.GetBytes(key), notification.Key);
        }
    }

    [Fact]
    public void What_was_sent_is_what_is_read() =>
        Gen.Select(Gen.Int[0, 999_999_999], Gen.Char['!', '~'].Array[1, 30], Gen.Byte.Array[0, 200]).Sample(
            (database, name, key) =>
            {
                var frame = Pushed('>', "message", $"__keyevent@{database}__:{new string(name)}", Encoding.Latin1.GetString(key));
                return NotificationParser.TryParse(frame, out var notification)
                    && notification.Database == database
                    && notification.Event.SequenceEqual(Encoding.Latin1.GetBytes(name))
                    && notification.Key.SequenceEqual(key);
            });

    [Theory]
    [InlineData("__keyspace@0__:key")]
    [InlineData("__keyevt__:marker")]
    [InlineData("news")]
    [InlineData("")]
    [InlineData("__keyevent@")]
    [InlineData("__keyevent@0")]
    [InlineData("__keyevent@0__")]
    [InlineData("__keyevent@0__:")]
    [InlineData("__keyevent@__:set")]
    [InlineData("__keyevent@-1__:set")]
    [InlineData("__keyevent@+1__:set")]
    [InlineData("__keyevent@01__:set")]
    [InlineData("__keyevent@1x__:set")]
    [InlineData("__keyevent@*__:set")]
    [InlineData("__keyevent@1000000000__:set")]
    [InlineData("__keyevent@99999999999999999999__:set")]
    [InlineData("__keyevent@0_:set")]
    [InlineData("x__keyevent@0__:set")]
    [InlineData("__keyevent@0__:set\nother")]
    [InlineData("__keyevent@0__:set\r")]
    [InlineData("__keyevent@0__:\u001b[2J")]
    [InlineData("__keyevent@0__:\0")]
    [InlineData("__keyevent@0__:set\u007f")]
    [InlineData("__subkeyspace@0__:key")]
    [InlineData("__subkeyevent@0__:hset")] // its payload is none
    public void Another_channel_is_not_a_notification(string channel)
    {
        Assert.False(NotificationParser.TryParse(Pushed('>', "pmessage", "*", channel, "key"), out _));
        Assert.False(NotificationParser.TryParse(Pushed('>', "message", channel, "key"), out _));
    }

    [Theory]
    [InlineData(">3\r\n$9\r\nsubscribe\r\n$18\r\n__keyevent@0__:set\r\n:1\r\n")]
    [InlineData(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:1\r\n")]
    [InlineData(">3\r\n$8\r\nsmessage\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n")]
    [InlineData(">3\r\n$8\r\npmessage\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n")]
    [InlineData(">4\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n:1\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$-1\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$018\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkeyXX")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$999999999\r\nkey\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$2147483647\r\nkey\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$18446744073709551619\r\nkey\r\n")]
    [InlineData("+PONG\r\n")]
    [InlineData("$-1\r\n")]
    [InlineData("-ERR no\r\n")]
    [InlineData("")]
    public void Another_frame_is_not_a_notification(string frame) => Assert.False(NotificationParser.TryParse(Encoding.Latin1.GetBytes(frame), out _));

    [Theory]
    [InlineData(Pmessage)]
    [InlineData(Fields)]
    [InlineData(Message)]
    public void A_frame_cut_off_or_with_more_behind_it_is_refused(string text)
    {
        var frame = Encoding.Latin1.GetBytes(text);
        Assert.True(NotificationParser.TryParse(frame, out _));
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.False(NotificationParser.TryParse(frame.AsSpan(0, length), out _));
        }

        foreach (var more in new[] { "\r", "\n", "\r\n", "x", text })
        {
            Assert.False(NotificationParser.TryParse(Encoding.Latin1.GetBytes(text + more), out _));
        }
    }

    [Theory]
    [InlineData(Pmessage)]
    [InlineData(Fields)]
    [InlineData(Message)]
    public void A_frame_with_any_bytes_changed_is_read_or_refused_but_never_throws(string text) =>
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Byte).Array[1, 3].Sample(
            changes =>
            {
                var frame = Encoding.Latin1.GetBytes(text);
                foreach ((var at, var value) in changes)
                {
                    frame[at] = value;
                }

                if (NotificationParser.TryParse(frame, out var notification))
                {
                    Assert.InRange(notification.Key.Length, 0, frame.Length);
                    Assert.NotEqual(0, notification.Event.Length);
                }
            },
            iter: 20_000);

    [Fact]
    public void Reading_allocates_nothing()
    {
        var frame = Encoding.Latin1.GetBytes(Pmessage);
        var fields = Encoding.Latin1.GetBytes(Fields);
        _ = NotificationParser.TryParse(frame, out _);
        _ = NotificationParser.TryParse(fields, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _ = NotificationParser.TryParse(frame, out _);
        _ = NotificationParser.TryParse(frame.AsSpan(0, frame.Length - 1), out _);
        _ = NotificationParser.TryParse(fields, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Pushed(char type, params string[] parts)
    {
        var frame = new StringBuilder().Append(type).Append(parts.Length).Append("\r\n");
        foreach (var part in parts)
        {
            frame.Append('$').Append(part.Length).Append("\r\n").Append(part).Append("\r\n");
        }

        return Encoding.Latin1.GetBytes(frame.ToString());
    }
}
