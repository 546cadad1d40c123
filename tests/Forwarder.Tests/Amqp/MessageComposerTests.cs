using System.Text;
using System.Text.Json;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Amqp;

/// <summary>What does an event look like in each shape, whatever its key is?</summary>
public sealed class MessageComposerTests
{
    private const string Id = "00c0ffee12345678-1048576-42";

    [Fact]
    public void Json_holds_the_event_its_node_time_and_id()
    {
        var composer = Compose(MessageFormat.Json, Id, "3\nhset\nuser:1"u8);
        Assert.Equal("""{"db":3,"event":"hset","key":"user:1","node":"00c0ffee12345678","time":"2023-11-14T22:13:20.123Z","id":"00c0ffee12345678-1048576-42"}""", Text(composer.Body));
        Assert.Equal(("application/json", Id), (composer.Properties.ContentType, composer.Properties.MessageId));
    }

    [Theory]
    [InlineData(MessageFormat.Json, """{"db":3,"event":"hset","key":"user:1","fields":["a","b,\n","a"],"node":"00c0ffee12345678","time":"2023-11-14T22:13:20.123Z","id":"00c0ffee12345678-1048576-42"}""")]
    [InlineData(MessageFormat.CloudEvents, """{"db":3,"event":"hset","key":"user:1","fields":["a","b,\n","a"]}""")]
    [InlineData(MessageFormat.Text, "3\nhset\nuser:1")]
    public void The_fields_of_a_hash_are_told_in_order_and_never_in_the_text(MessageFormat format, string expected)
    {
        var composer = Compose(format, Id + "~h13", "3\nhset\nuser:11:a,3:b,\n,1:a"u8);
        Assert.Equal(expected, Text(composer.Body));
        Assert.Equal(Id, composer.Properties.MessageId);
    }

    [Fact]
    public void Fields_of_which_one_is_not_UTF_8_are_all_base64()
    {
        var json = JsonDocument.Parse(Compose(MessageFormat.Json, Id + "~h7", [.. "0\nhset\nk"u8, .. "1:a,1:"u8, 0xFF]).Body).RootElement;
        Assert.Equal(["YQ==", "/w=="], json.GetProperty("fields_base64").EnumerateArray().Select(field => field.GetString()));
        Assert.False(json.TryGetProperty("fields", out _));
        Assert.Equal("k", json.GetProperty("key").GetString());
    }

    [Theory]
    [InlineData(MessageFormat.Json)]
    [InlineData(MessageFormat.CloudEvents)]
    public void A_key_that_is_not_UTF_8_is_base64(MessageFormat format)
    {
        var json = JsonDocument.Parse(Compose(format, Id, [.. "0\nset\n"u8, 0xFF, 0x0A, 0xC3]).Body).RootElement;
        Assert.Equal([0xFF, 0x0A, 0xC3], json.GetProperty("key_base64").GetBytesFromBase64());
        Assert.False(json.TryGetProperty("key", out _));
    }

    [Fact]
    public void CloudEvents_has_its_attributes_as_headers_and_the_event_as_data()
    {
        var composer = Compose(MessageFormat.CloudEvents, Id, "3\nhset\nuser:1"u8);
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["ce-specversion"] = "1.0",
                ["ce-id"] = Id,
                ["ce-source"] = "/redis/00c0ffee12345678/3",
                ["ce-type"] = "redis.keyspace.hset",
                ["ce-time"] = "2023-11-14T22:13:20.123Z",
                ["ce-subject"] = "user:1",
                ["content-type"] = "application/json",
            },
            new Dictionary<string, object?>(composer.Properties.Headers!));
        Assert.Equal("application/json", composer.Properties.ContentType);
        Assert.Equal("""{"db":3,"event":"hset","key":"user:1"}""", Text(composer.Body));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    [InlineData("\u0085")]
    [InlineData("\ufdd0")]
    [InlineData("\uffff")]
    public void What_CloudEvents_does_not_allow_as_a_text_is_no_subject(string key)
    {
        Assert.False(Compose(MessageFormat.CloudEvents, Id, Encoding.UTF8.GetBytes("0\nset\n" + key)).Properties.Headers!.ContainsKey("ce-subject"));
    }

    [Fact]
    public void A_key_too_long_for_the_headers_is_in_the_data_only_and_the_next_one_has_its_subject_again()
    {
        var composer = new MessageComposer(TimeProvider.System);
        var key = new string('k', 200_000);
        Compose(composer, MessageFormat.CloudEvents, Id, Encoding.UTF8.GetBytes("0\nset\n" + key));
        Assert.False(composer.Properties.Headers!.ContainsKey("ce-subject"));
        Assert.Equal(key, JsonDocument.Parse(composer.Body).RootElement.GetProperty("key").GetString());
        Compose(composer, MessageFormat.CloudEvents, Id, "0\nset\nshort"u8);
        Assert.Equal("short", composer.Properties.Headers!["ce-subject"]);
    }

    [Theory]
    [InlineData("no event at all")]
    [InlineData("x y\nset\nk")]
    [InlineData("-1\n\u0001\nk")]
    public void What_somebody_else_left_in_the_storage_becomes_a_valid_event_too(string body)
    {
        var headers = Compose(MessageFormat.CloudEvents, "adopted-1-1", Encoding.UTF8.GetBytes(body), unixMilliseconds: 0).Properties.Headers!;
        Assert.True(Uri.IsWellFormedUriString((string)headers["ce-source"]!, UriKind.RelativeOrAbsolute), $"{headers["ce-source"]}");
        Assert.StartsWith("redis.keyspace", (string)headers["ce-type"]!, StringComparison.Ordinal);
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$", (string)headers["ce-time"]!);
        Assert.DoesNotContain((string)headers["ce-type"]!, char.IsControl);
    }

    [Fact]
    public void A_time_out_of_reach_in_a_strangers_id_is_no_obstacle()
    {
        var json = JsonDocument.Parse(Compose(MessageFormat.Json, $"00c0ffee12345678-{long.MaxValue}-1", "0\nset\nk"u8, unixMilliseconds: 0).Body).RootElement;
        Assert.True(json.GetProperty("time").TryGetDateTimeOffset(out _));
    }

    [Theory]
    [InlineData("\x01id with blank\n0\nset\nk", 0)]
    [InlineData("\x01\u00e4\n0\nset\nk", 0)]
    [InlineData("\x01good-1\n0\nset\nk", 6)]
    [InlineData("0\nset\nk", 0)]
    public void Only_what_AMQP_takes_as_an_id_is_one(string stored, int length) => Assert.Equal(length, LogEntry.HeadLengthOf(Encoding.Latin1.GetBytes(stored)));

    private static MessageComposer Compose(MessageFormat format, string id, ReadOnlySpan<byte> body, long unixMilliseconds = 1_700_000_000_123)
    {
        var composer = new MessageComposer(TimeProvider.System);
        Compose(composer, format, id, body, unixMilliseconds);
        return composer;
    }

    private static void Compose(MessageComposer composer, MessageFormat format, string id, ReadOnlySpan<byte> body, long unixMilliseconds = 1_700_000_000_123)
    {
        byte[] stored = [StoredForm.IdMark, .. Encoding.ASCII.GetBytes(id), (byte)'\n', .. body];
        var entry = new LogEntry(1, stored, id.Length, unixMilliseconds, 0);
        composer.Compose(entry, MessageRoute.Of(new ForwarderConfig { Format = format }, new RoutingKeyCutCounter()), entry.MessageId);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
