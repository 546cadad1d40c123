using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>How is a rule read, and what does it want?</summary>
public sealed class EventRuleTests
{
    [Theory]
    [InlineData("events=xe db=0 mask=^session:", "events=xe db=0 mask=^session:")]
    [InlineData("db=15 mask=a", "events=A db=15 mask=a")]
    [InlineData("mask=ALL", "events=A mask=ALL")]
    [InlineData("db=3 events=mn mask=a", "events=mn db=3 mask=a")]
    [InlineData("  events=x   mask=two words = one mask", "events=x mask=two words = one mask")]
    [InlineData("mask=db=0 events=x", "events=A mask=db=0 events=x")]
    [InlineData("mask= ", "events=A mask= ")]
    public void A_rule_reads_back_as_it_was_read(string text, string expected)
    {
        Assert.True(EventRule.TryParse(text, out var rule, out var error), error);
        Assert.Equal(expected, rule.ToString());
        Assert.True(EventRule.TryParse(rule.ToString(), out var again, out _));
        Assert.Equal(rule, again);
    }

    [Theory]
    [InlineData("", "mask=")]
    [InlineData("events=x", "mask=")]
    [InlineData("mask=", "empty")]
    [InlineData("events=q mask=a", "q")]
    [InlineData("events= mask=a", "no class")]
    [InlineData("db=x mask=a", "db")]
    [InlineData("db=-1 mask=a", "db")]
    [InlineData("db= mask=a", "db")]
    [InlineData("db=99999999999 mask=a", "db")]
    [InlineData("key=a mask=a", "key=a")]
    [InlineData("^session:", "^session:")]
    [InlineData("events=x events=e mask=a", "twice")]
    [InlineData("db=1 db=2 mask=a", "twice")]
    public void A_wrong_one_is_refused_and_its_fault_named(string text, string named)
    {
        Assert.False(EventRule.TryParse(text, out var rule, out var error));
        Assert.Null(rule);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }
}
