using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder;

/// <summary>How do commands reach the engine of a member of a group? Whatever they change, they change for all members.</summary>
internal sealed class GroupControl(CurrentConfig current, ForwarderConfig initial, ConfigChange changes, HolderAnswers answers, InfoReport report) : IForwarderControl
{
    public ForwarderConfig Config => current.Value;

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change) => changes.ChangeAsync(change);

    /// <summary>The outcome is that of the member that delivers.</summary>
    public async Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        var isChanged = await changes.ChangeAsync(config => change(config) is { } next ? Running(next) : null).ConfigureAwait(false);
        return isChanged ? await answers.AskAsync(cancellationToken).ConfigureAwait(false) : null;
    }

    /// <summary>Members that deliver, or wait for it, always have a connection or try to; so it is only asked whether the group was stopped before.</summary>
    public async Task<bool> DisconnectAsync()
    {
        var wasStopped = false;
        await changes.ChangeAsync(config =>
        {
            wasStopped = config.IsStopped;
            return wasStopped ? config : config with { IsStopped = true };
        }).ConfigureAwait(false);
        return !wasStopped;
    }

    public Task ResetAsync(bool isUnloading) => changes.ChangeAsync(_ => ForwarderControl.AtStart(initial, isUnloading));

    public IReadOnlyList<InfoSection> GetInfo() => report.Make();

    private static ForwarderConfig Running(ForwarderConfig config) => config.IsStopped ? config with { IsStopped = false } : config;
}
