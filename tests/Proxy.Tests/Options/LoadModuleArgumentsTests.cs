using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Feed;
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
        var faults = new List<string>();
        var config = LoadModuleArguments.ParseLine(new OptionInput("--loadmodule", [line], faults))!.ApplyTo(Current);
        Assert.Empty(faults);
        Assert.Equal(Current.Amqp with { Host = "other", Port = 5673, User = "user", Password = "pass", HeartbeatSeconds = 20 }, config.Amqp);
        Assert.True(config.Masks.IsAll);
    }

    [Fact]
    public void Flags_alone_change_the_classes_alone()
    {
        Assert.True(TryApply(out var next, out _, "g$"));
        Assert.Equal(Current with { Events = EventClass.Generic | EventClass.String }, next);
    }

    [Fact]
    public void No_argument_changes_nothing()
    {
        Assert.True(TryApply(out var next, out _));
        Assert.Equal(Current, next);
    }

    [Fact]
    public void Every_wrong_argument_is_named_and_nothing_changes()
    {
        Assert.False(TryApply(out var next, out string error, "q", "broker", "0"));
        Assert.Same(Current, next);
        Assert.Equal("flags: unknown event flag 'q': flags are g $ l s h z x e t d m n o c, and A for g$lshzxetd; port must be 1 to 65535, not '0'", error);
    }

    [Fact]
    public void As_a_command_it_may_not_name_any_host()
    {
        Assert.False(TryApply(out var next, out string error, "g", "evil"));
        Assert.Same(Current, next);
        Assert.Equal("host 'evil' is not allowed: name it in the option --amqp-hosts", error);
    }

    private static bool TryApply(out ForwarderConfig next, out string error, params string[] args) =>
        LoadModuleArguments.TryApply([.. args.Select(a => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(a))], Current, out next, out error);
}
