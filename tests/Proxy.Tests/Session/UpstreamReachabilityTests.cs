using KeyEvt.Proxy.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What does the log say of an upstream that is away, and of one that comes and goes?</summary>
public sealed class UpstreamReachabilityTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<int> _said = [];
    private readonly UpstreamReachability _reach;

    public UpstreamReachabilityTests() => _reach = new UpstreamReachability(_time, new Recorder(_said));

    private int Warnings => _said.Count(id => id == 1112);

    private int Returns => _said.Count(id => id == 1113);

    [Fact]
    public void It_is_said_when_it_begins_every_ten_seconds_and_when_it_is_over()
    {
        for (var second = 0; second < 31; second++)
        {
            _reach.Failed(second, "u", "refused", isRefused: true);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(4, Warnings);
        _reach.Reached("u");
        _reach.Reached("u");
        Assert.Equal(1, Returns);
    }

    [Fact]
    public void An_upstream_that_comes_and_goes_is_said_every_ten_seconds_at_most()
    {
        for (var times = 0; times < 250; times++)
        {
            _reach.Failed(times, "u", "refused", isRefused: true);
            _reach.StillAway("u");
            _reach.Reached("u");
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal((3, 3), (Warnings, Returns));
    }

    [Fact]
    public void One_that_stays_away_is_said_once_it_is_time_to_though_nobody_is_let_in_to_fail()
    {
        _reach.Failed(1, "u", "refused", isRefused: true);
        _reach.Reached("u");
        _time.Advance(TimeSpan.FromSeconds(1));
        _reach.Failed(2, "u", "refused", isRefused: true);
        Assert.Equal((1, 1), (Warnings, Returns));
        for (var tries = 0; tries < 1000; tries++)
        {
            _reach.StillAway("u");
            _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(2, Warnings);
        _reach.Reached("u");
        Assert.Equal(2, Returns);
    }

    [Fact]
    public void Another_reason_is_said_at_once()
    {
        _reach.Failed(1, "u", "refused", isRefused: true);
        _reach.Failed(2, "u", "no route", isRefused: true);
        Assert.Equal(2, Warnings);
    }

    private sealed class Recorder(List<int> said) : ILogger
    {
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => said.Add(eventId.Id);

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }
}
