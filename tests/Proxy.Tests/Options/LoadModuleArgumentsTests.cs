using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Does the replaced module's load line mean here what it meant there?</summary>
public sealed class LoadModuleArgumentsTests
{
    private static readonly ForwarderConfig Current = new() { Amqp = new AmqpSettings { Host = "broker", Password = "canary" } };

    [Theory]
    [InlineData("a b  c", "a", "b", "c")]
    [InlineData("  a\tb\n", "a", "b")]
    [InlineData("\"a b\" 'c d'", "a b", "c d")]
    [InlineData("\"a\\\"b\\x41\\n\\\\\" 'it\\'s\\n'", "a\"bA\n\\", "it's\\n")]
    [InlineData("a\"b c\"", "ab c")]
    [InlineData("\"\"", "")]
    [InlineData("\"\\xzz\"", "xzz")]
    [InlineData("")]
    public void A_line_is_split_as_redis_splits_its_configuration(string line, params string[] words)
    {
        Assert.Equal(words, LoadModuleArguments.SplitWords(line)!.Select(word => Encoding.UTF8.GetString(word.Span)));
    }

    [Theory]
    [InlineData("\"a")]
    [InlineData("'a")]
    [InlineData("'a'b")]
    [InlineData("\"a\"\"b\"")]
    [InlineData("\"a\\")]
    public void A_quote_that_does_not_end_or_ends_inside_a_word_is_wrong(string line)
    {
        Assert.Null(LoadModuleArguments.SplitWords(line));
    }

    [Theory]
    [InlineData("xe other 5673 user pass 20 ex rk 2 7 ALL")]
    [InlineData("loadmodule /usr/lib/redis_keyspace_amqp.so xe other 5673 user pass 20 ex rk 2 7 ALL")]
    [InlineData("/usr/lib/redis_keyspace_amqp.so xe other 5673 user pass 20 ex rk 2 7 ALL")]
    public void The_line_of_redis_conf_may_be_given_whole(string line)
    {
        var config = Apply(line);
        Assert.Equal(Current.Amqp with { Host = "other", Port = 5673, User = "user", Password = "pass", HeartbeatSeconds = 20 }, config.Amqp);
        Assert.True(config.Masks.IsAll);
    }

    [Fact]
    public void Flags_alone_change_the_classes_alone()
    {
        Assert.Equal(Current with { Events = EventClass.Generic | EventClass.String }, Apply("g$"));
    }

    [Fact]
    public void An_empty_line_changes_nothing()
    {
        Assert.Equal(Current, Apply(" "));
    }

    private static ForwarderConfig Apply(string line)
    {
        var faults = new List<string>();
        var config = LoadModuleArguments.ParseLine(new OptionInput("--loadmodule", [line], faults))!.ApplyTo(Current);
        Assert.Empty(faults);
        return config;
    }
}
