using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>When may the next message be published, and how many may be unconfirmed? After refusals and returns there are pauses, and messages go one at a time.</summary>
/// <remarks>Used by the publisher only.</remarks>
internal sealed class PublishPacing(DeliveryOptions options, DeliveryClock clock)
{
    /// <summary>
    /// How long messages go one at a time. A full queue that is emptied slowly refuses one message and takes the next; one at a time, no message overtakes a refused one.
    /// </summary>
    private static readonly TimeSpan CautiousFor = TimeSpan.FromSeconds(10);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), options.Random);
    private long _pauseUntil;    // a timestamp, as the next two
    private long _cautiousUntil;
    private long _aloneUntil;

    public bool IsPausing => !clock.IsPast(_pauseUntil);

    /// <summary>Messages that may be unconfirmed at once, besides the limits of the window. With MaxAttempts set, refused messages leave the order anyway.</summary>
    public int Limit
    {
        get
        {
            var isCautious = !clock.IsPast(_cautiousUntil) && options.MaxAttempts == 0;
            return isCautious || !clock.IsPast(_aloneUntil) ? 1 : int.MaxValue;
        }
    }

    /// <summary>Publishes nothing for a while. Each pause is longer than the one before, until <see cref="Succeeded"/>.</summary>
    public void Pause() => _pauseUntil = clock.After(_backoff.Next());

    /// <summary>The same after a refusal. Afterwards messages go one at a time for a while.</summary>
    public void PauseAndBeCautious()
    {
        Pause();
        _cautiousUntil = _pauseUntil + clock.Ticks(CautiousFor);
    }

    /// <summary>A message was too large. Messages go one at a time for a while: if the channel is closed again, it is known which message it was.</summary>
    public void SendAlone() => _aloneUntil = clock.After(CautiousFor);

    /// <summary>A message was confirmed while none was refused.</summary>
    public void Succeeded() => _backoff.Reset();

    /// <summary>A new link: there is no reason for a pause yet.</summary>
    public void BeginLink() => _pauseUntil = 0;
}
