using System.Text;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Amqp;

/// <summary>Which routing key comes out of a template, and at what cost?</summary>
public sealed class RoutingKeyTemplateTests
{
    private readonly RoutingKeyCutCounter _cuts = new();

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("redis.{db}.{event}", "redis.7.hset")]
    [InlineData("{class}", "hash")]
    [InlineData("{key}", "user:1")]
    [InlineData("a{db}{class}b{key}", "a7hashbuser:1")]
    [InlineData("{event", "{event")]
    public void Parts_become_what_the_event_has(string template, string expected) => Assert.Equal(expected, Resolve(template, "", "7\nhset\nuser:1"));

    [Theory]
    [InlineData("hexpired", EventClass.None, "hash")]
    [InlineData("hexpired", EventClass.Expired, "expired")]
    [InlineData("arset", EventClass.None, "array")]
    [InlineData("arset", EventClass.Module, "module")]
    [InlineData("ts.add", EventClass.None, "module")]
    public void The_class_is_the_servers_word_and_else_what_the_name_says(string name, EventClass word, string expected) =>
        Assert.Equal(expected, new RoutingKeyTemplate("{class}", "", _cuts).Resolve(Encoding.ASCII.GetBytes($"0\n{name}\nk"), word).Value);

    [Fact]
    public void A_key_that_is_not_UTF_8_stands_there_byte_for_byte()
    {
        var resolved = new RoutingKeyTemplate("{key}", "", _cuts).Resolve([.. "0\nset\n"u8, 0xFF, 0x00, 0xC3, 0x28]);
        Assert.Equal([0xFF, 0x00, 0xC3, 0x28], resolved.Bytes.ToArray());
    }

    [Theory]
    [InlineData("ä", 2)]
    [InlineData("€", 3)]
    [InlineData("\U0001F600", 4)]
    public void A_result_over_255_bytes_is_cut_before_a_character_that_does_not_fit_whole(string character, int width)
    {
        for (var before = 255 - width; before <= 255; before++)
        {
            var key = new string('k', before) + character + "tail";
            var whole = before + width <= 255;
            Assert.Equal(whole ? (key[..before] + character + "tail"[..(255 - before - width)]) : key[..before], Resolve("{key}", "", "0\nset\n" + key));
        }
    }

    [Fact]
    public void What_is_not_UTF_8_is_cut_at_255_bytes()
    {
        byte[] key = [.. Enumerable.Repeat((byte)0xBF, 300)];
        Assert.Equal(key[..255], new RoutingKeyTemplate("{key}", "", _cuts).Resolve([.. "0\nset\n"u8, .. key]).Bytes.ToArray());
        byte[] broken = [.. Enumerable.Repeat((byte)'a', 254), 0xE2, 0x28, 0xA1];
        Assert.Equal(broken[..255], new RoutingKeyTemplate("{key}", "", _cuts).Resolve([.. "0\nset\n"u8, .. broken]).Bytes.ToArray());
    }

    [Fact]
    public void Each_cut_is_counted()
    {
        var template = new RoutingKeyTemplate("r.{key}", "", _cuts);
        template.Resolve(Encoding.UTF8.GetBytes("0\nset\n" + new string('k', 253)));
        Assert.Equal(0, _cuts.Count);
        for (var i = 1; i <= 3; i++)
        {
            template.Resolve(Encoding.UTF8.GetBytes("0\nset\n" + new string('k', 254)));
            Assert.Equal(i, _cuts.Count);
        }
    }

    [Theory]
    [InlineData("{key}")]
    [InlineData("constant")]
    public void The_suffix_is_never_cut(string template)
    {
        var longer = template == "constant" ? new string('c', 255) : template;
        var resolved = Resolve(longer, ".failed", "0\nset\n" + new string('k', 300));
        Assert.Equal(255, resolved.Length);
        Assert.EndsWith(".failed", resolved, StringComparison.Ordinal);
        Assert.Equal(1, _cuts.Count);
    }

    [Theory]
    [InlineData("redis.{db}.{event}", "redis.gap")]
    [InlineData("{db}.{event}", "gap")]
    [InlineData("a.{db}-{event}.z", "a.-.z.gap")]
    [InlineData("plain.key", "plain.key.gap")]
    [InlineData("", "gap")]
    public void A_gap_goes_without_the_parts_of_an_event(string template, string expected)
    {
        var config = new ForwarderConfig { RoutingKey = template };
        Assert.Equal(expected, Text(MessageRoute.ForGaps(config, _cuts).Keys.Resolve([])));
        Assert.Equal(expected, MessageRoute.GapKey(template));
    }

    [Fact]
    public void A_key_seen_before_costs_no_allocation()
    {
        var template = new RoutingKeyTemplate("redis.{db}.{class}.{event}.{key}", "", _cuts);
        byte[][] bodies = [.. Enumerable.Range(0, 1000).Select(i => Encoding.UTF8.GetBytes($"{i % 16}\nset\nkey:{i}:{new string('x', i % 300)}"))];
        foreach (var body in bodies) template.Resolve(body);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 10; round++)
        {
            foreach (var body in bodies) template.Resolve(body);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("{nosuch}", "{nosuch}")]
    [InlineData("a.{DB}", "{DB}")]
    public void An_unknown_part_is_named(string template, string named) => Assert.Contains(named, RoutingKeyTemplate.Fault(template), StringComparison.Ordinal);

    [Fact]
    public void A_text_over_255_bytes_is_no_routing_key()
    {
        Assert.Null(RoutingKeyTemplate.Fault(new string('a', 255)));
        Assert.NotNull(RoutingKeyTemplate.Fault(new string('a', 256)));
        Assert.NotNull(RoutingKeyTemplate.Fault(new string('ä', 128)));
    }

    private string Resolve(string template, string suffix, string body) => Text(new RoutingKeyTemplate(template, suffix, _cuts).Resolve(Encoding.UTF8.GetBytes(body)));

    private static string Text(RabbitMQ.Client.CachedString resolved) => Encoding.UTF8.GetString(resolved.Bytes.Span);
}
