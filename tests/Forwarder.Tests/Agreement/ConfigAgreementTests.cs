using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>Does a member get the configuration in force, whatever it has missed, and is it kept?</summary>
public sealed class ConfigAgreementTests
{
    private readonly AgreementRig _rig = new();

    [Fact]
    public async Task What_is_kept_is_in_force_before_anything_is_delivered()
    {
        Keep(500, "kept");
        Assert.False(_rig.Agreement.IsLoaded);
        await _rig.Agreement.LoadAsync();
        Assert.True(_rig.Agreement.IsLoaded);
        Assert.Equal((500, "kept"), (_rig.Agreement.Version, _rig.Current.Value.Exchange));
        Assert.True(_rig.Agreement.IsFound);
    }

    [Fact]
    public async Task The_first_version_of_a_program_with_the_same_options_is_not_another_configuration()
    {
        Keep(OptionsFingerprint.FirstVersion(_rig.InForce.Fingerprint), "amq.direct");
        await _rig.Agreement.LoadAsync();
        Assert.False(_rig.Agreement.IsFound);
    }

    [Fact]
    public async Task Who_begins_a_group_of_which_nothing_is_kept_makes_the_first_version_of_its_options()
    {
        await _rig.BeginAsync();
        Assert.InRange(_rig.Agreement.Version, 1, 1_000_000_000); // lower than any that a command makes
        Assert.StartsWith($"{_rig.Agreement.Version} ", _rig.Store.Kept, StringComparison.Ordinal);
        var first = _rig.Agreement.Version;
        _rig.Agreement.Begin();
        await _rig.PassAsync(2);
        Assert.Equal(first, _rig.Agreement.Version);
    }

    [Fact]
    public async Task If_two_begin_at_once_both_have_the_version_of_the_first()
    {
        _rig.Store.BeforeWrite = () => Keep(700, "of the other");
        await _rig.BeginAsync();
        Assert.Equal((700, "of the other"), (_rig.Agreement.Version, _rig.Current.Value.Exchange));
    }

    [Fact]
    public async Task What_is_kept_stays_in_force_also_if_Redis_could_not_be_asked_until_the_group_began()
    {
        Keep(800, "kept");
        _rig.Store.Fault = "no";
        _ = _rig.Agreement.RunAsync(TestContext.Current.CancellationToken);
        await _rig.PassAsync(1.5);
        _rig.Agreement.Begin();
        _rig.Store.Fault = null;
        await _rig.PassAsync(2);
        Assert.Equal((800, "kept"), (_rig.Agreement.Version, _rig.Current.Value.Exchange));
        Assert.StartsWith("800 ", _rig.Store.Kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_stream_tells_while_the_first_version_is_made_is_in_force()
    {
        _rig.Store.BeforeWrite = () => _rig.InForce.Put(Next("new"));
        await _rig.BeginAsync();
        Assert.Equal("new", _rig.Current.Value.Exchange);
    }

    [Theory]
    [InlineData(true, 0, 2)]
    [InlineData(false, 9, 13)]
    public async Task If_Redis_cannot_be_asked_the_options_are_in_force_at_once_where_it_refuses_and_else_after_a_while(bool isRefusal, double from, double to)
    {
        (_rig.Store.Fault, _rig.Store.IsRefusal) = ("no", isRefusal);
        var begun = _rig.Time.GetTimestamp();
        await _rig.BeginAsync();
        Assert.InRange(_rig.Time.GetElapsedTime(begun).TotalSeconds, from, to);
        Assert.Contains("cannot be kept in Redis: no", _rig.LogText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_that_another_has_said_is_taken_in_the_stream()
    {
        await _rig.BeginAsync();
        var next = Next("new");
        _rig.Hear(new GroupMessage.Config("x-1", 50, next.Version, null, _rig.InForce.Write(next)));
        Assert.Equal((next.Version, "new"), (_rig.Agreement.Version, _rig.Current.Value.Exchange));
        Assert.DoesNotContain(_rig.Said, static said => said is GroupMessage.Config);
    }

    [Fact]
    public async Task A_version_that_is_in_force_but_was_not_heard_is_read_from_Redis()
    {
        _rig.IsHolder = false;
        await _rig.BeginAsync();
        var next = Next("missed");
        _rig.Store.Kept = $"{next.Version} {_rig.InForce.WriteSealed(next)}";
        _rig.ConfigVersion = next.Version;
        _rig.Agreement.Joined();
        await _rig.UntilAsync(() => _rig.Current.Value.Exchange == "missed");
        Assert.Empty(_rig.Said);
    }

    [Fact]
    public async Task What_Redis_has_lost_is_asked_of_the_holder()
    {
        _rig.IsHolder = false;
        await _rig.BeginAsync();
        var next = Next("missed");
        (_rig.Store.Kept, _rig.ConfigVersion) = (null, next.Version);
        await _rig.UntilAsync(() => _rig.Said.Any(static said => said is GroupMessage.Ask { What: GroupMessage.Wish.Config }));
        _rig.Hear(new GroupMessage.Config("x-1", 50, next.Version, null, _rig.InForce.Write(next)));
        Assert.Equal("missed", _rig.Current.Value.Exchange);
    }

    [Fact]
    public async Task What_nobody_knows_is_replaced_by_what_this_member_has()
    {
        _rig.IsHolder = false;
        await _rig.BeginAsync();
        var lost = Next("lost").Version;
        (_rig.Store.Kept, _rig.ConfigVersion) = (null, lost);
        await _rig.PassAsync(3);
        Assert.DoesNotContain(_rig.Said, static said => said is GroupMessage.Config);
        await _rig.UntilAsync(() => _rig.Agreement.Version > lost);
        Assert.Equal(_rig.Options.Exchange, _rig.Current.Value.Exchange);
    }

    [Fact]
    public async Task What_nobody_knows_is_replaced_by_a_later_version_that_Redis_keeps()
    {
        _rig.IsHolder = false;
        await _rig.BeginAsync();
        var lost = Next("lost").Version;
        var kept = Next("kept") with { Version = lost + 1 };
        (_rig.Store.Kept, _rig.ConfigVersion) = ($"{kept.Version} {_rig.InForce.WriteSealed(kept)}", lost);
        await _rig.UntilAsync(() => _rig.Agreement.Version > lost);
        Assert.Equal((kept.Version, "kept"), (_rig.Agreement.Version, _rig.Current.Value.Exchange));
    }

    [Fact]
    public async Task Who_knows_a_version_of_a_command_tells_those_who_began_anew_with_their_options()
    {
        await _rig.BeginAsync();
        var first = _rig.Agreement.Version;
        await _rig.PassAsync(_rig.Changes.ChangeAsync(static config => config with { Exchange = "told" }));
        _rig.ConfigVersion = first; // made of the same options by another member
        _rig.Agreement.Joined();
        await _rig.UntilAsync(() => _rig.ConfigVersion == _rig.Agreement.Version);
        Assert.Equal("told", _rig.Current.Value.Exchange);
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_in_force_here_and_is_said()
    {
        await _rig.BeginAsync();
        var version = Next("x").Version;
        _rig.Hear(new GroupMessage.Config("x-1", 50, version, null, "{}"));
        Assert.NotEqual(version, _rig.Agreement.Version);
        Assert.Contains("cannot be read", _rig.LogText, StringComparison.Ordinal);

        // Valid text of another version is none of this one.
        _rig.Hear(new GroupMessage.Config("x-1", 51, version, null, _rig.InForce.Write(Next("other") with { Version = version + 1 })));
        Assert.NotEqual("other", _rig.Current.Value.Exchange);

        // Nor is what no configuration may say.
        var faulty = Next("") with { Config = _rig.Current.Value with { Masks = KeyMaskSet.Empty, RoutingKey = "{db}", DeclareQueue = "q", Exchange = "amq.direct" } };
        _rig.Hear(new GroupMessage.Config("x-1", 52, faulty.Version, null, _rig.InForce.Write(faulty)));
        Assert.Null(_rig.Current.Value.DeclareQueue);
    }

    [Fact]
    public async Task Who_knows_more_than_those_who_began_anew_tells_them()
    {
        await _rig.BeginAsync();
        await _rig.PassAsync(_rig.Changes.ChangeAsync(static config => config with { Exchange = "known" }));
        _rig.ConfigVersion = 5;
        _rig.Agreement.Joined();
        await _rig.UntilAsync(() => _rig.ConfigVersion == _rig.Agreement.Version);
        Assert.Equal("known", _rig.Current.Value.Exchange);
    }

    [Fact]
    public async Task The_holder_writes_again_what_Redis_has_lost()
    {
        await _rig.BeginAsync();
        var kept = _rig.Store.Kept;
        _rig.Store.Kept = null;
        await _rig.UntilAsync(() => _rig.Store.Kept == kept);

        _rig.IsHolder = false;
        _rig.Store.Kept = null;
        await _rig.PassAsync(3);
        Assert.Null(_rig.Store.Kept);
    }

    [Fact]
    public async Task The_holder_says_what_is_kept_and_was_never_said_after_all_hear_its_classes()
    {
        await _rig.BeginAsync();
        var next = Next("unsaid") with { Config = _rig.Current.Value with { Exchange = "unsaid", Events = EventClass.Hash } };
        _rig.Store.Kept = $"{next.Version} {_rig.InForce.WriteSealed(next)}";
        await _rig.UntilAsync(() => _rig.Current.Value.Exchange == "unsaid");
        Assert.IsType<GroupMessage.Prepare>(_rig.Said[0]);
        Assert.Equal(next.Version, Assert.Single(_rig.Said.OfType<GroupMessage.Config>()).Version);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("17 {}")]
    [InlineData("999999999999999999 {}")]
    [InlineData("99999999999999999999999999 {}")]
    public async Task What_is_kept_but_unreadable_is_replaced_by_what_is_in_force(string kept)
    {
        await _rig.BeginAsync();
        _rig.Store.Kept = kept;
        await _rig.UntilAsync(() => _rig.Store.Kept!.StartsWith($"{_rig.Agreement.Version} {{", StringComparison.Ordinal));
        Assert.Contains("is replaced", _rig.LogText, StringComparison.Ordinal);

        _rig.IsHolder = false; // a command does so too
        _rig.Store.Kept = kept;
        Assert.True(await _rig.PassAsync(_rig.Changes.ChangeAsync(static config => config with { Exchange = "changed" })));
        Assert.Contains("\"exchange\":\"changed\"", _rig.Store.Kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_options_are_brought_in_once_with_a_warning_and_the_same_ones_keep_what_commands_have_changed()
    {
        Keep(500, "of a command", options: "0000000000000000");
        _rig.ConfigVersion = 500;
        _ = _rig.Agreement.RunAsync(TestContext.Current.CancellationToken);
        await _rig.UntilAsync(() => _rig.Agreement.Version > 500);
        Assert.Equal((_rig.Options.Exchange, _rig.InForce.Fingerprint), (_rig.Current.Value.Exchange, _rig.InForce.Value.Options));
        Assert.Contains("options 0000000000000000", _rig.LogText, StringComparison.Ordinal);

        var next = Next("of a later command");
        _rig.Hear(new GroupMessage.Config("x-1", 50, next.Version, null, _rig.InForce.Write(next with { Options = "1111111111111111" })));
        await _rig.PassAsync(3);
        Assert.Equal("of a later command", _rig.Current.Value.Exchange); // once in a life

        var same = new AgreementRig(store: _rig.Store);
        _rig.Store.Kept = $"{next.Version} {_rig.InForce.WriteSealed(next)}";
        same.ConfigVersion = next.Version;
        _ = same.Agreement.RunAsync(TestContext.Current.CancellationToken);
        await same.PassAsync(3);
        Assert.Equal("of a later command", same.Current.Value.Exchange);
    }

    [Fact]
    public async Task Options_that_cannot_be_brought_in_are_tried_again_and_again_but_named_once_a_minute()
    {
        Keep(500, "kept", options: "0000000000000000");
        _rig.ConfigVersion = 500;
        var tries = 0;
        _rig.Store.BeforeWrite = () =>
        {
            tries++;
            throw new ConfigStoreException("READONLY", new IOException());
        };
        _ = _rig.Agreement.RunAsync(TestContext.Current.CancellationToken);
        await _rig.UntilAsync(() => tries > 3);
        Assert.Single(_rig.Log.Lines, static line => line.Contains(" 2501 ", StringComparison.Ordinal));
        Assert.Single(_rig.Log.Lines, static line => line.Contains(" 2507 ", StringComparison.Ordinal));
        Assert.Equal(500, _rig.Agreement.Version);
    }

    [Fact]
    public async Task Announced_classes_that_were_wanted_and_are_no_longer_are_given_up_soon()
    {
        using var stop = new CancellationTokenSource();
        var outlet = _rig.Outlet.RunAsync(stop.Token);
        _rig.Agreement.Prepare(EventClass.Hash);
        _rig.Outlet.Put(_rig.Options with { Events = EventClass.Hash });
        _rig.Outlet.Put(_rig.Options with { Events = EventClass.None });
        await _rig.UntilAsync(() => _rig.Wanted.LastOrDefault() == EventClass.Hash); // another change may have announced them too
        _rig.Time.Advance(TimeSpan.FromSeconds(2.5));
        _rig.Outlet.Look();
        for (var look = 0; look < 200 && _rig.Wanted[^1] != EventClass.None; look++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Equal(EventClass.None, _rig.Wanted[^1]);
        await stop.CancelAsync();
        await outlet;
    }

    [Fact]
    public async Task Feeds_are_told_what_is_wanted_and_what_will_be()
    {
        await _rig.BeginAsync();
        using var stop = new CancellationTokenSource();
        var outlet = _rig.Outlet.RunAsync(stop.Token);
        await _rig.UntilAsync(() => _rig.Wanted.Count == 1);
        _rig.Agreement.Prepare(EventClass.Hash);
        await _rig.UntilAsync(() => _rig.Wanted.Count == 2);
        Assert.Equal(_rig.Options.Events | EventClass.Hash, _rig.Wanted[1]);
        await _rig.UntilAsync(() => _rig.Wanted.Count == 3); // nothing came of it
        Assert.Equal(_rig.Options.Events, _rig.Wanted[2]);
        await stop.CancelAsync();
        await outlet;
    }

    private SharedConfig Next(string exchange) =>
        new(Math.Max(_rig.Agreement.Version, 500) + 7, _rig.InForce.Fingerprint, "x", _rig.Current.Value with { Exchange = exchange });

    private void Keep(long version, string exchange, string? options = null) =>
        _rig.Store.Kept = $"{version} {_rig.InForce.WriteSealed(new SharedConfig(version, options ?? _rig.InForce.Fingerprint, "x", _rig.Options with { Exchange = exchange }))}";
}
