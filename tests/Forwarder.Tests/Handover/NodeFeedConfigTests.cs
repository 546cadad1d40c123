using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What does the configuration of a group decide in a feed: what has a position, who may deliver, and what others hear of it?</summary>
public sealed class NodeFeedConfigTests : IAsyncDisposable
{
    private const ulong Run = 0xaaaaaaaaaaaaaaaa;
    private readonly GroupEnvelope _envelope = new("orders", new MessageSeal(null));
    private readonly RecordingDuties _duties = new();
    private readonly FixedConfig _config = new();
    private readonly ScriptedFeed _feed;

    public NodeFeedConfigTests() => _feed = new ScriptedFeed(group: new GroupMembership(_envelope, () => _duties, _config));

    private StreamGroupStatus Status => _feed.Feed.GroupStatus;

    public ValueTask DisposeAsync() => _feed.DisposeAsync();

    [Fact]
    public async Task Only_events_of_classes_in_force_have_positions_whatever_else_is_subscribed_to()
    {
        await HoldsAsync();
        await _feed.Node.EventAsync("first");
        await _feed.KeysAsync("first");
        _config.Classes = EventClass.String;
        await _feed.Node.SayAsync(ScriptedNode.EventFrame("del", "unwanted"));
        await _feed.Node.EventAsync("second");
        await _feed.KeysAsync("first", "second");
        var places = _feed.Sink.Entries.Select(entry => entry.Position).ToList();
        Assert.Equal(places[0] with { Count = places[0].Count + 1 }, places[1]);
    }

    [Fact]
    public async Task Nobody_claims_before_it_is_known_what_Redis_keeps_nor_without_a_version()
    {
        (_config.IsLoaded, _config.Version) = (false, 0);
        await SubscribedAsync();
        await LookAsync(2);
        Assert.False(Status.IsKnown);

        _config.IsLoaded = true;
        await LookUntilAsync("a first version to be asked for", () => _config.Told.Contains("begin"));
        await LookAsync(1);
        Assert.False(Status.IsKnown);

        _config.Version = 77;
        await LookUntilAsync("the office", () => Status is { IsHolder: true, ConfigVersion: 77 });
        Assert.Contains("joined", _config.Told);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // what the options want was kept, and something else is in force
    public async Task What_came_before_it_is_known_what_Redis_keeps_is_passed_on_where_that_is_nothing_and_else_is_a_gap(bool isFound)
    {
        (_config.IsLoaded, _config.Version) = (false, 0);
        await SubscribedAsync();
        await _feed.Node.EventAsync("before");
        await LookAsync(1);
        (_config.IsFound, _config.Version, _config.IsLoaded) = (isFound, 77, true);
        await LookUntilAsync("the office", () => Status.IsHolder);
        await _feed.Node.EventAsync("behind");
        await _feed.KeysAsync(isFound ? ["behind"] : ["before", "behind"]);
        Assert.Equal(isFound ? [GapCause.NotRunning] : [], _feed.Gaps.Recent.Select(static gap => gap.Cause));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // it has another version itself
    public async Task Where_nobody_delivers_whoever_has_the_version_in_force_tells_it(bool hasIt)
    {
        await LearnsAsync(version: 5);
        if (hasIt) _config.Version = 5;
        await SayAsync("resign x 3000 claim=x/5 settled=4-0", "ask y 3001 what=config");
        await Eventually.TrueAsync("the question", () => Status.Peers.Any(static peer => peer.Name == "y"));
        Assert.Equal(hasIt, _config.Told.Contains("asked Config"));
    }

    [Fact]
    public async Task Who_has_another_version_than_is_in_force_keeps_nothing_and_claims_nothing_until_it_has_it()
    {
        await LearnsAsync(version: 5);
        await _feed.Node.EventAsync("judged by nobody");
        await LookAsync(4);
        Assert.Equal((0, false), (Status.KeptCount, Status.IsHolder));

        _config.Version = 5;
        await LookUntilAsync("the office", () => Status.IsHolder); // nobody else marks
        await _feed.Node.EventAsync("judged");
        await _feed.KeysAsync("judged");
    }

    [Fact]
    public async Task Who_does_not_hear_all_classes_in_force_claims_nothing_until_it_does()
    {
        _config.Classes = EventClass.All | EventClass.New;
        await SubscribedAsync();
        await LookAsync(2);
        Assert.False(Status.IsHolder);
        _feed.Feed.Want(EventClass.All | EventClass.New);
        await LookUntilAsync("the office", () => Status.IsHolder);
        Assert.Equal(EventClass.All | EventClass.New, Status.Peers[0].Classes);
    }

    [Theory]
    [InlineData("config x 3000 config=9 text={}", "take {}")]
    [InlineData("prepare x 3000 classes=h", "prepare Hash")]
    [InlineData("ask x 3000 what=connect", "asked Connect")]
    [InlineData("ask x 3000 what=config", "asked Config")]
    [InlineData("answer x 3000 asked=y/1 code=4 reason=no", "answered 4")]
    public async Task What_the_group_says_of_its_configuration_is_handed_on(string text, string told)
    {
        await HoldsAsync();
        await SayAsync(text);
        await Eventually.TrueAsync(told, () => _config.Told.Contains(told));
        Assert.True(Status.IsHolder);
    }

    [Theory]
    [InlineData("config x 3000 config=9")]                       // its text is kept in Redis
    [InlineData("config x 3000 config=9 follows=7 text={}")]     // another one is in force
    [InlineData("config x 3000 config=1 text={}")]               // this program has it
    public async Task A_version_that_is_void_or_known_or_without_a_text_is_not_taken(string text)
    {
        await HoldsAsync();
        await SayAsync(text);
        await _feed.Node.EventAsync("behind it");
        await _feed.KeysAsync("behind it");
        Assert.DoesNotContain(_config.Told, static told => told.StartsWith("take", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_wanted_when_it_came_is_kept_and_passed_on_whatever_is_wanted_later()
    {
        await LearnsAsync(version: 1);
        await _feed.Node.EventAsync("wanted");
        await Eventually.TrueAsync("the event to be kept", () => _feed.Feed.Status.Received == 1);
        _feed.Sink.IsWanting = false;
        await _feed.Node.EventAsync("unwanted");
        await Eventually.TrueAsync("the other event", () => _feed.Feed.Status.Received == 2);
        await LookUntilAsync("the office", () => Status.IsHolder); // the holder does not mark
        Assert.Equal(["wanted"], _feed.Sink.Kept);
        Assert.Equal(["wanted"], _feed.Sink.Keys);
    }

    [Fact]
    public async Task What_was_kept_before_a_claim_is_passed_on_though_another_version_comes_with_it()
    {
        _feed.Node.Answer = command =>
        {
            if (command[0] == "PUBLISH" && command[2].Contains(" fresh ", StringComparison.Ordinal)) _config.Version = 99;
            return null;
        };
        await SubscribedAsync();
        await _feed.Node.EventAsync("kept");
        await LookUntilAsync("the event", () => _feed.Sink.Keys.Contains("kept"));
        Assert.Equal(1, _feed.Node.Connects);
    }

    [Fact]
    public async Task Only_the_holder_is_asked()
    {
        await LearnsAsync(version: 1);
        await SayAsync("ask x 3000 what=connect");
        await LookAsync(0.2);
        Assert.DoesNotContain("asked Connect", _config.Told);
    }

    [Fact]
    public async Task What_is_said_for_the_configuration_has_an_id_and_comes_back()
    {
        Assert.Null(_feed.Feed.Say(static (member, number) => new GroupMessage.Ask(member, number, GroupMessage.Wish.Config))); // there is no connection yet
        await HoldsAsync();
        var id = _feed.Feed.Say(static (member, number) => new GroupMessage.Ask(member, number, GroupMessage.Wish.Config));
        Assert.Equal(_feed.Feed.MemberName, id!.Value.Member);
        await Eventually.TrueAsync("the question", () => _config.Told.Contains("asked Config"));
    }

    /// <summary>Another member is the holder, and tells the state in which this version is in force.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // who delivers does not add them
    public async Task Letters_that_more_classes_need_are_left_to_who_delivers_until_the_second_look(bool addsThem)
    {
        _feed.Node.Flags = "$E";
        _config.Classes = EventClass.String;
        await LearnsAsync(version: 1, wanted: EventClass.String);
        await LookAsync(0.1);
        var looks = Count("CONFIG GET");
        _feed.Feed.Want(EventClass.String | EventClass.Hash);
        await Eventually.TrueAsync("a look", () => Count("CONFIG GET") > looks && _feed.Feed.Pulse.Waiting == 0);
        Assert.Equal(0, Count("CONFIG SET"));
        if (addsThem) _feed.Node.Flags = "$hE";
        await LookUntilAsync("the letters", () => _feed.Feed.Status.IsInStep);
        Assert.Equal(addsThem ? 0 : 1, Count("CONFIG SET"));
        Assert.Contains("h", _feed.Node.Flags, StringComparison.Ordinal);

        int Count(string command) => _feed.Count(command);
    }

    [Theory]
    [InlineData("", 1, true)]
    [InlineData("A", 1, true)]       // without E no event comes
    [InlineData("AKE", 1, false)]
    [InlineData("", 5, false)]       // it is not known here which classes are in force
    public async Task Flags_that_are_missing_when_it_joins_are_a_gap_since_the_holder_has_settled_anything(string flags, long version, bool isGap)
    {
        _feed.Node.Flags = flags;
        await LearnsAsync(version);
        await LookAsync(0.1);
        Assert.Equal(isGap ? [(GapCause.FlagsMissing, new EventPosition(Run, 4, 0), false)] : [], _feed.Gaps.Recent.Select(static gap => (gap.Cause, gap.LastPosition, gap.IsOpen)));
    }

    [Fact]
    public async Task A_gap_that_begins_at_a_message_of_the_group_begins_fifty_milliseconds_before_its_number_which_may_run_ahead()
    {
        _feed.Node.Flags = "";
        await LearnsAsync(version: 1, settled: static asked => asked);
        await LookUntilAsync("the gap", () => _feed.Gaps.Total > 0);
        var gap = Assert.Single(_feed.Gaps.Recent);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(EventPosition.MarkerMilliseconds(gap.LastPosition.Marker) - 50), gap.From);
    }

    [Fact]
    public async Task Letters_that_were_there_and_are_missing_are_set_at_once_whoever_delivers()
    {
        _feed.Node.Flags = "$E";
        _config.Classes = EventClass.String;
        await LearnsAsync(version: 1, wanted: EventClass.String);
        _feed.Node.Flags = "";
        var looks = _feed.Count("CONFIG GET");
        await LookUntilAsync("a look", () => _feed.Count("CONFIG SET") == 1);
        Assert.Equal(looks + 1, _feed.Count("CONFIG GET"));
    }

    private async Task LearnsAsync(long version, EventClass wanted = EventClass.All, Func<long, long>? settled = null)
    {
        await SubscribedAsync(wanted);
        await LookUntilAsync("the question", () => Question() is not null);
        var question = (GroupMessage.Who)_envelope.Read(Question()!, Run)!;
        await SayAsync($"state x {question.Number + 1} asked={question.Member}/{question.Number} marker={question.Number} claim=x/5 holder=x settled={settled?.Invoke(question.Number) ?? 4}-0 marks= pending= config={version}");
        await LookUntilAsync("the state", () => Status.IsKnown);
    }

    private byte[]? Question() =>
        _feed.Node.Commands.Select(static command => command.Split(' ', 3)).Where(static words => words[0] == "PUBLISH").Select(static words => System.Text.Encoding.UTF8.GetBytes(words[2])).LastOrDefault(
            payload => _envelope.Read(payload, Run) is GroupMessage.Who);

    private async Task SubscribedAsync(EventClass wanted = EventClass.All)
    {
        _feed.Feed.Want(wanted);
        _feed.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => _feed.Feed.Status.IsInStep);
    }

    private async Task HoldsAsync()
    {
        await SubscribedAsync();
        await LookUntilAsync("the office", () => Status.IsHolder);
    }

    private async Task LookAsync(double seconds)
    {
        for (var look = 0; look < seconds * 20; look++)
        {
            await LookUntilAsync("an answer to everything", () => _feed.Feed.Pulse.Waiting == 0);
            _feed.Time.Advance(TimeSpan.FromMilliseconds(50));
        }
    }

    private Task LookUntilAsync(string what, Func<bool> condition) => Eventually.SoonTrueAsync(what, () =>
    {
        if (condition()) return true;
        if (_feed.Feed.Pulse.Waiting == 0) _feed.Time.Advance(TimeSpan.FromMilliseconds(50));
        return condition();
    });

    private Task SayAsync(params IEnumerable<string> texts) => _feed.Node.SayAsync(
        string.Concat(texts.Select(static text => $">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk(MarkerChannel.PlainName)}{ScriptedNode.Bulk($"1 orders {Run:x16} {text}")}")));
}
