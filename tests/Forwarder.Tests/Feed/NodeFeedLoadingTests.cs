using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A node that loads its data publishes what it replays: does a feed stay away until it is done, and not a moment longer? Over a scripted node.</summary>
public sealed class NodeFeedLoadingTests : IAsyncDisposable
{
    private static readonly TimeSpan Interval = new NodeFeedOptions().LoadingInterval;

    private readonly ScriptedFeed _rig = new();
    private volatile bool _isLoading = true;

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Theory]
    [InlineData("loading")]
    [InlineData("async_loading")]
    public async Task Nothing_is_subscribed_to_while_INFO_says_that_data_are_loaded(string field)
    {
        _rig.Node.Answer = command => command[0] == "INFO" && _isLoading
            ? ScriptedNode.Bulk($"run_id:{new string('a', 40)}\r\n{(field == "loading" ? "" : "loading:0\r\n")}{field}:1\r\n")
            : null;
        await LoadAsync(() => _rig.Count("INFO persistence"));
        Assert.Equal(1, _rig.Node.Connects);
    }

    [Fact]
    public async Task Where_INFO_is_refused_PING_tells_whether_data_are_loaded()
    {
        _rig.Node.Answer = command => command[0] switch
        {
            "INFO" => "-NOPERM this user has no permissions to run the 'info' command\r\n",
            "PING" when _isLoading => "-LOADING Redis is loading the dataset in memory\r\n",
            _ => null,
        };
        await LoadAsync(() => _rig.Count("PING"));
    }

    [Fact]
    public async Task A_greeting_that_is_refused_while_data_are_loaded_is_said_again()
    {
        _rig.Node.Answer = command => command[0] == "HELLO" && _isLoading ? "-LOADING Redis is loading the dataset in memory\r\n" : null;
        await LoadAsync(() => _rig.Count("HELLO"));
    }

    /// <summary>Loads for two minutes; the feed asks often, over one connection, and subscribes at the first answer that says it is done.</summary>
    private async Task LoadAsync(Func<int> asked)
    {
        _rig.Want(EventClass.All);
        _rig.Feed.Start();
        await PauseAsync(1);
        var before = asked();
        _rig.Time.Advance(TimeSpan.FromMinutes(2));
        for (var pause = 2; pause <= 20; pause++)
        {
            await PauseAsync(pause);
            Assert.Equal(before + pause - 1, asked());
            _rig.Time.Advance(Interval);
        }

        await PauseAsync(21);
        Assert.Equal(0, _rig.Count("SUBSCRIBE") + _rig.Count("PSUBSCRIBE") + _rig.Count("CONFIG"));
        _isLoading = false;
        _rig.Time.Advance(Interval);
        await Eventually.TrueAsync("the subscription", () => _rig.Feed.Status.IsInStep);
        Assert.Equal(1, _rig.Node.Connects);
    }

    private Task PauseAsync(int number) => Eventually.TrueAsync($"pause {number}", () => _rig.Time.Asked.Count(time => time == Interval) == number);
}
