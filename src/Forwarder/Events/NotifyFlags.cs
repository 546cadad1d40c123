using System.Globalization;
using System.Numerics;
using System.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>How are the letters of notify-keyspace-events read and written, and which of them does a server lack?</summary>
/// <remarks>
/// A server does not print what was set. With all classes of <c>A</c> on, it prints <c>A</c> and leaves out <c>n</c> (on Redis 8.2 also <c>o</c> and
/// <c>c</c>), so <c>AKEn</c> reads back as <c>AKE</c>. Here these letters are called hidden if <c>A</c> is printed and they are not.
/// </remarks>
public static class NotifyFlags
{
    private const EventClass HiddenByAll = EventClass.New | EventClass.Overwritten | EventClass.TypeChanged;

    // The letter at index i belongs to bit i of EventClass. This is also the order in which Redis prints them.
    private const string Letters = "g$lshzxetdmnocaT";

    /// <summary>
    /// Reads what a user wrote. K and E are accepted without effect, since they say how Redis delivers. A stands for everything that it stands for at
    /// the server. S, T, I and V all ask for the fields of hashes.
    /// </summary>
    /// <param name="error">Empty, or one line that names the fault.</param>
    public static bool TryParse(string letters, out EventClass classes, out string error)
    {
        classes = EventClass.None;
        foreach (var letter in letters.EnumerateRunes())
        {
            if (!TryGetClass(letter.Value, EventClass.All, out var one))
            {
                classes = EventClass.None;
                error = $"unknown event flag '{Printable(letter)}': flags are g $ l s h z x e t d m n o c a, A for all but m n o c, and S T I V for the fields of hashes";
                return false;
            }

            classes |= one;
        }

        var hasClass = (classes & ~EventClass.Fields) != EventClass.None;
        if (!hasClass) classes = EventClass.None;
        error = hasClass ? "" : "the event flags name no class of events: give at least one of g $ l s h z x e t d m n o c a, or A for all but m n o c";
        return hasClass;
    }

    /// <summary>The letters of the classes in the order of Redis, with A if all of its classes are present. Never K or E.</summary>
    public static string Format(EventClass classes) => Format(classes, EventClass.All);

    /// <param name="all">What A stands for.</param>
    public static string Format(EventClass classes, EventClass all)
    {
        var text = new StringBuilder();
        if (classes.HasFlag(all))
        {
            text.Append('A');
            classes &= ~all;
        }

        for (; classes != 0; classes &= classes - 1)
        {
            text.Append(LetterOf(classes));
        }

        return text.ToString();
    }

    /// <summary>The letters of the classes one by one, never A.</summary>
    public static string List(EventClass classes) => Format(classes, (EventClass)uint.MaxValue);

    /// <summary>The class of a single letter; None if no class has it.</summary>
    internal static EventClass ClassOf(char letter) =>
        Letters.IndexOf(letter, StringComparison.Ordinal) is var bit and >= 0 ? (EventClass)(1u << bit) & ~EventClass.Fields : EventClass.None;

    /// <summary>The letter of the lowest of the classes.</summary>
    internal static char LetterOf(EventClass classes) => Letters[BitOperations.TrailingZeroCount((uint)classes)];

    /// <summary>The classes that a server's letters stand for. Unknown letters are ignored.</summary>
    /// <param name="all">What A stands for at the server.</param>
    internal static EventClass ClassesOf(string letters, EventClass all)
    {
        var classes = EventClass.None;
        foreach (var letter in letters)
        {
            // S, I and V mean the same as T, but on channels that KeyEvt does not listen to.
            if (letter is not ('S' or 'I' or 'V') && TryGetClass(letter, all, out var one)) classes |= one;
        }

        return classes;
    }

    /// <summary>
    /// Whether nothing in what the server printed shows that a needed event will not arrive. A hidden letter is assumed to be set. Use this after the
    /// result of <see cref="Missing"/> was written once; otherwise a hidden letter would seem to be missing for ever.
    /// </summary>
    /// <param name="all">What A stands for at the server.</param>
    public static bool Covers(string current, EventClass needed, EventClass all) => Lacking(current, needed, all) == EventClass.None;

    /// <summary>The needed classes whose events surely do not arrive, by what the server printed. A hidden letter is assumed to be set.</summary>
    /// <param name="all">What A stands for at the server.</param>
    public static EventClass Lacking(string current, EventClass needed, EventClass all)
    {
        var missing = needed & ~ClassesOf(current, all);
        return !current.Contains('E') ? needed : current.Contains('A') ? missing & ~HiddenByAll : missing;
    }

    /// <summary>
    /// The value for notify-keyspace-events with which the needed events arrive as keyevent messages; null if nothing is missing. It keeps everything
    /// that was read, also unknown letters, and only adds to it.
    /// </summary>
    /// <param name="current">What CONFIG GET returned.</param>
    /// <param name="needed">With None nothing is needed, not even E.</param>
    /// <param name="all">What A stands for at the server.</param>
    /// <param name="ambiguous">
    /// True if there is something to write and <c>A</c> was read. Needed hidden letters are then added, whether they were set or not. Other hidden
    /// letters that somebody has set cannot be seen, and are lost. Worth a line in the log.
    /// </param>
    public static string? Missing(string current, EventClass needed, EventClass all, out bool ambiguous)
    {
        var missing = Format(needed & ~ClassesOf(current, all), all);
        if (needed != EventClass.None && !current.Contains('E'))
        {
            missing += 'E';
        }

        ambiguous = missing.Length > 0 && current.Contains('A');
        return missing.Length > 0 ? current + missing : null;
    }

    private static bool TryGetClass(int letter, EventClass all, out EventClass one)
    {
        var bit = letter < 128 ? Letters.IndexOf((char)letter, StringComparison.Ordinal) : -1;
        one = bit >= 0 ? (EventClass)(1u << bit) : letter switch
        {
            'A' => all,
            'S' or 'I' or 'V' => EventClass.Fields,
            _ => EventClass.None,
        };
        return one != EventClass.None || letter is 'K' or 'E';
    }

    /// <summary>The letter in a form that may stand in a reply line.</summary>
    private static string Printable(Rune letter) =>
        letter.Value is > 0x20 and < 0x7f ? letter.ToString() : string.Create(CultureInfo.InvariantCulture, $"U+{letter.Value:X4}");
}
