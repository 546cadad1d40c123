using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder;

/// <summary>What may commands and the admin pages ask of the engine? Thread safe.</summary>
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

    /// <summary>For MODULE UNLOAD: stops forwarding, and sets the configuration back to that of the start, without its masks and rules.</summary>
    Task ResetAsync();

    /// <summary>A snapshot of the sections upstream, amqp, fallback, ledger and gaps.</summary>
    IReadOnlyList<InfoSection> GetInfo();
}
