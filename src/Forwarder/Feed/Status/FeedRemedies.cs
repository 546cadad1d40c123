using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What is not as it should be, and what can somebody do about it? One text for each aspect, logged once when it changes. Thread safe.</summary>
internal sealed class FeedRemedies(string node, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<FeedAspect, string> _texts = [];

    /// <summary>All texts in one line, or null.</summary>
    public string? Text
    {
        get
        {
            lock (_gate) return _texts.Count == 0 ? null : string.Join("; ", _texts.Values);
        }
    }

    /// <param name="text">Null if nothing is wrong with this aspect.</param>
    public void Set(FeedAspect aspect, string? text)
    {
        lock (_gate)
        {
            if (_texts.GetValueOrDefault(aspect) == text) return;

            if (text is null) _texts.Remove(aspect);
            else _texts[aspect] = text;
        }

        if (text is null) FeedLog.Restored(logger, node, aspect);
        else FeedLog.Degraded(logger, node, text);
    }
}
