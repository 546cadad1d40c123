// Which operator or method takes the place of which?
using Microsoft.CodeAnalysis.CSharp;

namespace KeyEvt.Mutation;

/// <summary>The pairs that are exchanged.</summary>
internal static class Swaps
{
    /// <summary>Arithmetic and bits: the operands must be numbers.</summary>
    public static string? Arithmetic(SyntaxKind kind) => kind switch
    {
        SyntaxKind.AddExpression => "-",
        SyntaxKind.SubtractExpression => "+",
        SyntaxKind.MultiplyExpression => "/",
        SyntaxKind.DivideExpression => "*",
        SyntaxKind.ModuloExpression => "*",
        SyntaxKind.BitwiseAndExpression => "|",
        SyntaxKind.BitwiseOrExpression => "&",
        SyntaxKind.ExclusiveOrExpression => "&",
        SyntaxKind.LeftShiftExpression => ">>",
        SyntaxKind.RightShiftExpression or SyntaxKind.UnsignedRightShiftExpression => "<<",
        _ => null,
    };

    /// <summary>Comparisons and conditions.</summary>
    public static string? Condition(SyntaxKind kind) => kind switch
    {
        SyntaxKind.LessThanExpression => "<=",
        SyntaxKind.LessThanOrEqualExpression => "<",
        SyntaxKind.GreaterThanExpression => ">=",
        SyntaxKind.GreaterThanOrEqualExpression => ">",
        SyntaxKind.EqualsExpression => "!=",
        SyntaxKind.NotEqualsExpression => "==",
        SyntaxKind.LogicalAndExpression => "||",
        SyntaxKind.LogicalOrExpression => "&&",
        _ => null,
    };

    /// <summary>Assignments that calculate: the target must be a number.</summary>
    public static string? Assignment(SyntaxKind kind) => kind switch
    {
        SyntaxKind.AddAssignmentExpression => "-=",
        SyntaxKind.SubtractAssignmentExpression => "+=",
        SyntaxKind.MultiplyAssignmentExpression => "/=",
        SyntaxKind.DivideAssignmentExpression => "*=",
        SyntaxKind.OrAssignmentExpression => "&=",
        SyntaxKind.AndAssignmentExpression => "|=",
        SyntaxKind.LeftShiftAssignmentExpression => ">>=",
        SyntaxKind.RightShiftAssignmentExpression => "<<=",
        _ => null,
    };

    /// <summary>Bounds inside a pattern.</summary>
    public static string? Pattern(SyntaxKind token) => token switch
    {
        SyntaxKind.LessThanToken => "<=",
        SyntaxKind.LessThanEqualsToken => "<",
        SyntaxKind.GreaterThanToken => ">=",
        SyntaxKind.GreaterThanEqualsToken => ">",
        SyntaxKind.OrKeyword => "and",
        SyntaxKind.AndKeyword => "or",
        _ => null,
    };

    /// <summary>Methods of the base class library that have a counterpart with the same parameters.</summary>
    public static string? Method(string name) => name switch
    {
        "Min" => "Max",
        "Max" => "Min",
        "First" => "Last",
        "Last" => "First",
        "FirstOrDefault" => "LastOrDefault",
        "LastOrDefault" => "FirstOrDefault",
        "Skip" => "Take",
        "Take" => "Skip",
        "Any" => "All",
        "All" => "Any",
        "Increment" => "Decrement",
        "Decrement" => "Increment",
        "IndexOf" => "LastIndexOf",
        "LastIndexOf" => "IndexOf",
        _ => null,
    };
}
