using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder;

/// <summary>What may commands and the admin pages ask of the engine? Thread safe.</summary>
/// <remarks>
/// Every change is one for all members; if it cannot be made, <see cref="Agreement.GroupRefusedException"/> says why. A change may then be
/// computed more than once, when another member changes something at the same time.
/// </remarks>
public interface IForwarderControl
{
    /// <summary>The configuration in force.</summary>
    ForwarderConfig Config { get; }

    /// <summary>
    /// Applies a change between two events, and reconnects if the connection's own parameters changed. The task completes when the feeds have
    /// subscribed to what is wanted, so that a write after the command's reply is covered; or after a limited wait.
    /// </summary>
    Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change);

    /// <summary>
    /// Applies a change and connects, as one step. From then on a lost connection is opened again. The result is that of an attempt with exactly this
    /// configuration. If another command changes the connection's parameters meanwhile, the result says so. Limited by the connect deadline.
    /// </summary>
    /// <param name="change">Returns null to refuse the change; then nothing happens.</param>
    /// <returns>Null if the change was refused.</returns>
    Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken);

    /// <summary>Closes the connection, which stays closed until the next connect. Returns false if it was not connected.</summary>
    Task<bool> DisconnectAsync();

    /// <summary>Sets the configuration back to that of the start, and the connection to what it was then.</summary>
    /// <param name="isUnloading">For MODULE UNLOAD: without masks and rules, so that nothing is forwarded.</param>
    Task ResetAsync(bool isUnloading);

    /// <summary>A snapshot of the sections upstream, amqp, fallback, ledger and gaps.</summary>
    IReadOnlyList<InfoSection> GetInfo();
}
