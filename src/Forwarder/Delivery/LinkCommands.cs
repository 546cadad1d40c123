using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What do connect, disconnect and a change of the configuration do to the link, and what does each command get as its outcome?</summary>
/// <remarks>Used by the delivery loop only: <see cref="DeliveryLoop"/> hands commands over to it.</remarks>
internal sealed class LinkCommands(DeliveryContext context, DeliveryStateMachine states, LinkMonitor monitor, AsyncSignal signal)
{
    private readonly BrokerConnectionSupervisor _links = context.Links;
    private readonly ConnectWaiters _waiters = new();
    private long _reconnectBy; // while IsReconnecting: the timestamp up to which confirms are waited for

    /// <summary>Whether the link no longer fits the configuration: it is closed when the window is empty, and nothing is published before.</summary>
    public bool IsReconnecting { get; private set; }

    /// <summary>Whether a connect command waits for its outcome.</summary>
    public bool IsConnectAwaited => _waiters.AreThere;

    /// <param name="asked">The configuration at the moment of the command.</param>
    public void Connect(ForwarderConfig asked, TaskCompletionSource<ConnectResult> outcome)
    {
        if (asked.IsStopped)
        {
            outcome.SetResult(new ConnectResult((int)LinkFailureKind.Connection, "another command has disconnected meanwhile"));
            return;
        }

        if (_links.Link is not null && !IsReconnecting && asked.HasLinkOf(_links.OpenedWith))
        {
            outcome.SetResult(new ConnectResult(6, $"already connected to {asked.Amqp}"));
            return;
        }

        if (states.State == DeliveryState.Stopped) states.Change(DeliveryState.Live, "connect was asked for");

        _waiters.Add(asked, outcome);
        _waiters.ConfigIs(context.Config);
        if (_links.Link is null) _links.Want(context.Config, now: true);
    }

    /// <summary>Closes the link.</summary>
    /// <param name="next">Stopped: it stays closed until a connect command. Live: it is opened for the next event, as at the start.</param>
    /// <param name="outcome">Whether there was a link, or one was wanted.</param>
    public async ValueTask CloseAsync(DeliveryState next, string reason, TaskCompletionSource<bool> outcome)
    {
        var wasOpen = _links.Link is not null || _links.IsConnecting || (states.State == DeliveryState.Storing && next == DeliveryState.Stopped);
        _waiters.GiveUp("disconnected meanwhile");
        await ConfirmAndCloseAsync().ConfigureAwait(false);
        if (states.State != next) states.Change(next, reason);

        outcome.SetResult(wasOpen);
    }

    /// <summary>The configuration has changed: finds out whether the link still fits it.</summary>
    public void ConfigChanged()
    {
        var now = context.Config;
        _waiters.ConfigIs(now);
        var fits = _links.Config is not { } used || now.HasLinkOf(used);
        if (!fits && !IsReconnecting) _reconnectBy = context.Clock.After(context.Options.CloseDeadline);
        IsReconnecting = !fits;
    }

    /// <summary>Takes in that an attempt to connect has ended.</summary>
    public async ValueTask TakeAttemptOutcomeAsync()
    {
        if (await _links.TakeOutcomeAsync().ConfigureAwait(false) is not { } outcome) return;

        if (outcome.Connected)
        {
            context.Publisher.BeginLink();
            if (!context.Config.HasLinkOf(_links.OpenedWith))
            {
                (IsReconnecting, _reconnectBy) = (true, 0); // the configuration has changed during the attempt
            }
        }

        _waiters.AttemptEnded(_links.LastAttempt!, outcome);
    }

    /// <summary>Replaces a link that no longer fits the configuration, once everything is confirmed or the wait for that is over.</summary>
    public async ValueTask ReconnectIfDueAsync()
    {
        if (!IsReconnecting || (context.Publisher.Unconfirmed > 0 && !context.Clock.IsPast(_reconnectBy))) return;

        IsReconnecting = false;
        states.ForgetInFlight();
        await _links.CloseAsync(context.Options.CloseDeadline).ConfigureAwait(false);
        if (states.State != DeliveryState.Stopped) _links.Want(context.Config); // at once: the pause before an attempt ended with the link
    }

    /// <summary>Closes the link at the end of the program. Commands that still wait get their outcome.</summary>
    public async ValueTask EndAsync(TimeSpan within)
    {
        await _links.CloseAsync(within).ConfigureAwait(false);
        _waiters.GiveUp("the program ends");
    }

    /// <summary>Waits a moment for confirms, then closes the link.</summary>
    private async ValueTask ConfirmAndCloseAsync()
    {
        var deadline = context.Clock.After(context.Options.CloseDeadline);
        while (_links.IsUsable && context.Publisher.Unconfirmed > 0 && !context.Clock.IsPast(deadline))
        {
            await signal.WaitAsync().ConfigureAwait(false); // the loop itself does not wait now: it is in this command
            monitor.TakeEvents();
        }

        states.ForgetInFlight();
        IsReconnecting = false;
        await _links.CloseAsync(context.Options.CloseDeadline).ConfigureAwait(false);
    }
}
