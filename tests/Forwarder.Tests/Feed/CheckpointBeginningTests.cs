using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Where does the time end in which the program did not run?</summary>
public sealed class CheckpointBeginningTests : IAsyncDisposable
{
    private readonly ScriptedFeed _rig = new(shelf: new CheckpointRegistry("state", "me"));

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task What_was_missed_does_not_end_before_the_flags_are_set()
    {
        var (kept, isBusy) = ($"1 aaaaaaaaaaaaaaaa-5-3 {_rig.Time.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds()} old", true);
        _rig.Node.Answer = command => command[0] == "GET" ? ScriptedNode.Bulk(kept) : isBusy && command[0] == "CONFIG" && command[1] == "SET" ? "-BUSY Redis is busy running a script.\r\n" : null;
        _rig.Feed.Start(); // nothing is wanted yet
        await _rig.StateAsync(FeedState.Subscribed);
        _rig.Node.Flags = "";
        _rig.Want(EventClass.All);
        await _rig.AnsweredAsync(8);
        Assert.Equal(0, _rig.Gaps.Total);

        isBusy = false;
        var settled = _rig.Time.GetUtcNow();
        await _rig.AnsweredUntilAsync("the gap", () => _rig.Gaps.Total > 0);
        Assert.True(Assert.Single(_rig.Gaps.Recent).To > settled);
    }
}
