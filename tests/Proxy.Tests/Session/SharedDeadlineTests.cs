using KeyEvt.Proxy.Session;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>When is a deadline over that many share?</summary>
public sealed class SharedDeadlineTests
{
    private static readonly TimeSpan After = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(0.1);

    private readonly FakeTimeProvider _time = new();
    private readonly SharedDeadline _deadline;

    public SharedDeadlineTests() => _deadline = new SharedDeadline(After, _time);

    [Fact]
    public void Whoever_begins_at_about_the_same_time_shares_one()
    {
        var first = _deadline.Begin();
        _time.Advance(Step * 0.9);
        Assert.Equal(first, _deadline.Begin());
        _time.Advance(Step * 0.1);
        Assert.NotEqual(first, _deadline.Begin());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void It_never_comes_early_and_by_a_fiftieth_late_at_most(double steps)
    {
        _deadline.Begin();
        _time.Advance(Step * steps);
        var mine = _deadline.Begin();
        _time.Advance(After - TimeSpan.FromMilliseconds(1));
        Assert.False(mine.IsCancellationRequested);
        _time.Advance(Step + TimeSpan.FromMilliseconds(1));
        Assert.True(mine.IsCancellationRequested);
    }

    [Fact]
    public void One_that_is_over_is_given_to_nobody()
    {
        _deadline.Begin();
        _time.Advance(After * 2);
        Assert.False(_deadline.Begin().IsCancellationRequested);
    }
}
