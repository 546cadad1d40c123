using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder;

/// <summary>All that commands and the admin pages may ask of the engine. Thread safe.</summary>
public interface IForwarderControl
{
    /// <summary>The configuration in force.</summary>
    ForwarderConfig Config { get; }

    /// <summary>
    /// Applies a change between two events and reconnects if the connection's own parameters changed. The task ends when the feeds
    /// are subscribed to what is wanted now, so that a write after the command's reply is covered (or after a bounded wait).
    /// </summary>
    Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change);

    /// <summary>
    /// Applies a change and connects, as one step, and keeps connecting again from now on. The outcome is that of an attempt with this very configuration; when
    /// another command changes the connection's parameters meanwhile, it says so. Bounded by the connect deadline.
    /// </summary>
    /// <param name="change">Null: the change is refused, and nothing happens.</param>
    /// <returns>Null: the change was refused.</returns>
    Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken);

    /// <summary>Closes and stays closed until connect; false when it was not connected.</summary>
    Task<bool> DisconnectAsync();

    /// <summary>MODULE UNLOAD: stops forwarding; configuration back to the defaults.</summary>
    Task ResetAsync();

    /// <summary>Sections upstream, amqp, fallback, ledger, gaps; a snapshot.</summary>
    IReadOnlyList<InfoSection> GetInfo();
}
