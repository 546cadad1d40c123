using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>Is a connect command told what became of its own wish, whatever others want meanwhile?</summary>
public sealed class GroupControlTests
{
    private readonly AgreementRig _rig = new();
    private readonly GroupControl _control;
    private int _asked;

    public GroupControlTests() =>
        _control = new GroupControl(_rig.Current, _rig.Options, _rig.Changes, () => _rig.InForce.Value.Version, _rig.Answers, _rig.Delivery, null!);

    [Fact]
    public async Task It_is_told_what_the_holder_says()
    {
        Assert.Equal(new ConnectResult(0, "to one, question 1"), await ConnectAsync(whileAsked: null));
        Assert.Equal("one", _rig.Current.Value.Exchange);
    }

    [Fact]
    public async Task It_is_not_told_what_became_of_the_wish_of_another_command()
    {
        var result = await ConnectAsync(config => config with { Exchange = "two" });
        Assert.Equal((3, 1), (result.Code, _asked));
        Assert.StartsWith("another command has changed the connection meanwhile", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_told_that_another_command_has_disconnected() =>
        Assert.Equal(new ConnectResult(3, "another command has disconnected meanwhile"), await ConnectAsync(config => config with { IsStopped = true }));

    [Fact]
    public async Task If_another_command_changes_something_else_the_holder_is_asked_again() =>
        Assert.Equal(new ConnectResult(0, "to one, question 2"), await ConnectAsync(config => config with { Masks = KeyMaskSet.All }));

    [Fact]
    public async Task If_others_change_it_all_the_time_that_is_said()
    {
        var result = await ConnectAsync(config => config with { RoutingKey = config.RoutingKey + "x" }, changes: int.MaxValue);
        Assert.Equal((3, true), (result.Code, _asked is > 0 and < 10));
    }

    /// <param name="whileAsked">What others change while the holder connects.</param>
    /// <param name="changes">How often they do.</param>
    private async Task<ConnectResult> ConnectAsync(Func<ForwarderConfig, ForwarderConfig>? whileAsked, int changes = 1)
    {
        _rig.Connecting = () =>
        {
            var answered = new ConnectResult(0, $"to {_rig.Current.Value.Exchange}, question {++_asked}");
            if (whileAsked is not null && _asked <= changes) Change(whileAsked);
            return Task.FromResult(answered);
        };
        await _rig.BeginAsync();
        return (await _rig.PassAsync(_control.ConnectAsync(config => config with { Exchange = "one" }, TestContext.Current.CancellationToken)))!.Value;
    }

    private void Change(Func<ForwarderConfig, ForwarderConfig> change)
    {
        var next = new SharedConfig(_rig.Agreement.Version + 7, _rig.InForce.Fingerprint, "x", change(_rig.Current.Value));
        _rig.Hear(new GroupMessage.Config("x-1", 50, next.Version, null, _rig.InForce.Write(next)));
    }
}
